import type { Conclusion, Execution } from './conclude.ts'
import { limits, type TestsResult } from './contract.ts'
import { locateSources } from './source-places.ts'

type Parts = {
  conclusion: Conclusion
  execution?: Execution | undefined
  command: string[] | null
  commit: string
  folder: string
  scratch: string
}

const shorten = (text: string, length: number) => (text.length > length ? `${text.slice(0, length - 1)}…` : text)

/** Text without the folders of this one task: paths are told from the repository's root. */
export const withoutFolders =
  (...folders: string[]) =>
  (text: string): string =>
    folders.reduce((rest, folder) => rest.replaceAll(`${folder}/`, ''), text)

/** Bounded, so that it stays a small answer however many tests failed and however much they said. */
export const testsResultOf = async (parts: Parts): Promise<TestsResult> => {
  const { conclusion, execution, command, commit, folder, scratch } = parts
  const { status, reason, report } = conclusion
  const tidy = withoutFolders(folder, scratch)
  const failures = await locateSources(report.failures.slice(0, limits.failures), folder)
  return {
    status,
    ...(reason !== undefined && { reason: shorten(tidy(reason), limits.message) }),
    passed: report.passed,
    failed: report.failed,
    skipped: report.skipped,
    failures: failures.map(({ name, message, ...place }) => ({
      name: shorten(tidy(name), limits.message),
      message: shorten(tidy(message), limits.message),
      ...place,
    })),
    durationMs: execution?.durationMs ?? 0,
    command: command?.map(tidy) ?? null,
    commit,
    output: tidy(execution?.tail ?? ''),
  }
}
