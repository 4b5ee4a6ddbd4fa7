import type { Severity } from '../finding.ts'

type Rule = {
  severity: Severity
  /** For tests, fixtures and examples. @default severity */
  inTests?: Severity | 'off'
}

/** Code that cannot do what was meant: syntax, undefined names, wrong formats, impossible classes. */
const wrong = `
  F402 F404 F501 F502 F503 F504 F505 F506 F507 F508 F509 F521 F522 F523 F524 F525 F601 F602 F621 F622 F631 F633 F634
  F701 F702 F704 F706 F707 F722 F821 F822 F823
  PLE0100 PLE0101 PLE0116 PLE0117 PLE0118 PLE0237 PLE0241 PLE0302 PLE0303 PLE0305 PLE0307 PLE0308 PLE0309
  PLE0604 PLE0605 PLE0643 PLE1132 PLE1142 PLE1205 PLE1206 PLE1300 PLE1307 PLE1310 PLE1507 PLE1519 PLE1520 PLE1700
  B012 B015 B016 B020 B021 B025 B026 B029 B030 B035
  PLW0131 PLW0245 PLW1501 RUF016`

/** Code that most likely does not do what was meant. */
const suspicious = `
  E722 F632 F811
  B002 B003 B004 B005 B006 B022 B023 B031 B032 B033 B039
  PLW0127 PLW0128 PLW0129 PLW0133 PLW0177 PLW0211 PLW0406 PLW0604 PLW0711 PLW1508 PLW1509
  RUF006 RUF008 RUF009 RUF018 RUF024
  ASYNC105 ASYNC210 ASYNC220 ASYNC221 ASYNC222 ASYNC251`

/** What tests do on purpose. */
const unlessTested = 'B015 B017 PLW0129 PLW0133 F811'

/** Insecure whatever is done with it; what depends on the input is told by the patterns. */
const insecure = 'S103 S201 S202 S301 S302 S306 S323 S501 S502 S503 S506 S507 S508 S509 S612'

/** Code that does nothing. */
const dead = 'F401 F841 PLW0120'

const rows = (codes: string, rule: Rule): Record<string, Rule> =>
  Object.fromEntries(
    codes
      .trim()
      .split(/\s+/)
      .map((code) => [code, rule]),
  )

/** What ruff is asked, by its codes: mistakes and dangers, not style. https://docs.astral.sh/ruff/rules/ */
export const pythonRules: Record<string, Rule> = {
  ...rows(wrong, { severity: 'error', inTests: 'warning' }),
  ...rows(suspicious, { severity: 'warning', inTests: 'info' }),
  ...rows(unlessTested, { severity: 'warning', inTests: 'off' }),
  ...rows(insecure, { severity: 'warning', inTests: 'off' }),
  ...rows('S501 S502 S506', { severity: 'error', inTests: 'off' }),
  ...rows(dead, { severity: 'info' }),
}
