export type TestFailure = {
  /** The test's full name, suites first, or the file or package that could not be run. */
  name: string
  message: string
  /** As the tool printed it; relative to the repository once `locateSources` has seen it. */
  file?: string
  /** From 1. */
  line?: number
}

/** What one tool said. Suites are not counted, only tests; a file that does not load is a failed test. */
export type Report = { passed: number; failed: number; skipped: number; failures: TestFailure[] }

/** Reads the text of a tool; `undefined` when the text is not of that tool. */
export type TextFormat = (text: string) => Report | undefined

/** The sum of several reports, `undefined` of none. */
export const mergeReports = (reports: (Report | undefined)[]): Report | undefined => {
  const known = reports.filter((report) => report !== undefined)
  if (known.length === 0) return undefined
  return {
    passed: sum(known.map((report) => report.passed)),
    failed: sum(known.map((report) => report.failed)),
    skipped: sum(known.map((report) => report.skipped)),
    failures: known.flatMap((report) => report.failures),
  }
}

export const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0)

/** The number in the first group of a pattern, 0 when it is not there. */
export const countOf = (text: string, pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? 0)

/** Lines without their common indentation, joined and trimmed. */
export const dedent = (lines: string[]): string => {
  const indents = lines.filter((line) => line.trim() !== '').map((line) => line.length - line.trimStart().length)
  const common = indents.length > 0 ? Math.min(...indents) : 0
  return lines
    .map((line) => line.slice(common))
    .join('\n')
    .trim()
}
