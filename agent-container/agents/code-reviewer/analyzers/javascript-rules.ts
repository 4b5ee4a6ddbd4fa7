import type { Severity } from '../finding.ts'

export type Rule = {
  severity: Severity
  /** For tests, fixtures and examples. @default severity */
  inTests?: Severity | 'off'
  options?: Record<string, unknown>
  /** oxlint marks what is right first, and what contradicts it later: told of is the later one. */
  later?: true
}

/** Code that cannot do what was meant. */
const wrong = `
  constructor-super for-direction getter-return no-compare-neg-zero no-global-assign no-invalid-regexp no-new-native-nonconstructor no-obj-calls no-setter-return no-this-before-super
  no-unsafe-finally no-unsafe-negation no-unsafe-optional-chaining require-yield use-isnan valid-typeof
  oxc/bad-array-method-on-arguments oxc/bad-char-at-comparison oxc/bad-comparison-sequence oxc/bad-match-all-arg
  oxc/bad-min-max-func oxc/bad-object-literal-comparison oxc/const-comparisons oxc/missing-throw
  oxc/number-arg-out-of-range oxc/uninvoked-array-callback typescript/no-duplicate-enum-values
  typescript/no-misused-new unicorn/no-accessor-recursion`

/** Code that contradicts other code. */
const contradicting = `
  no-class-assign no-const-assign no-dupe-class-members no-dupe-else-if no-dupe-keys no-duplicate-case no-ex-assign
  no-func-assign no-import-assign`

/** Code that most likely does not do what was meant. */
const suspicious = `
  no-async-promise-executor no-cond-assign no-constant-binary-expression no-debugger no-delete-var
  no-empty-character-class no-empty-pattern no-extend-native no-fallthrough no-irregular-whitespace
  no-loss-of-precision no-misleading-character-class no-self-assign no-shadow-restricted-names
  no-unassigned-vars no-unexpected-multiline no-unreachable no-unused-labels no-useless-backreference
  no-with oxc/bad-replace-all-arg oxc/double-comparisons oxc/erasing-op
  oxc/misrefactored-assign-op typescript/no-confusing-non-null-assertion typescript/no-extra-non-null-assertion
  typescript/no-non-null-asserted-nullish-coalescing typescript/no-non-null-asserted-optional-chain
  typescript/no-unsafe-declaration-merging unicorn/no-array-fill-with-reference-type
  unicorn/no-await-in-promise-methods unicorn/no-invalid-remove-event-listener`

/** What tests do on purpose. */
const unlessTested = 'no-sparse-arrays no-template-curly-in-string unicorn/no-thenable'

/** Code that does nothing. */
const dead = `
  no-empty-static-block no-unused-private-class-members no-useless-catch no-useless-constructor no-useless-rename
  oxc/only-used-in-recursion typescript/no-useless-empty-export unicorn/no-empty-file`

const rows = (names: string, rule: Rule): Record<string, Rule> =>
  Object.fromEntries(
    names
      .trim()
      .split(/\s+/)
      .map((name) => [name, rule]),
  )

const unusedVariables = {
  args: 'none',
  caughtErrors: 'none',
  ignoreRestSiblings: true,
  varsIgnorePattern: '^_',
  destructuredArrayIgnorePattern: '^_',
}

/**
 * What oxlint is asked, under oxlint's names: mistakes, not style. What needs types, a framework or a taste is left
 * out; `eval` and its kind are told by the patterns.
 */
export const javascriptRules: Record<string, Rule> = {
  ...rows(wrong, { severity: 'error', inTests: 'warning' }),
  ...rows(contradicting, { severity: 'error', inTests: 'warning', later: true }),
  ...rows(suspicious, { severity: 'warning', inTests: 'info' }),
  ...rows(unlessTested, { severity: 'warning', inTests: 'off' }),
  ...rows(dead, { severity: 'info', inTests: 'off' }),
  'no-empty': { severity: 'info', inTests: 'off', options: { allowEmptyCatch: true } },
  'no-unused-vars': { severity: 'info', options: unusedVariables },
}
