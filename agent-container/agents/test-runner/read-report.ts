import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import type { ReportFiles } from './find/plan.ts'
import { parseJestJson } from './formats/jest-json.ts'
import { parseJunitXml } from './formats/junit-xml.ts'
import { mergeReports, type Report } from './formats/report.ts'
import { walkFiles } from './walk-files.ts'

const parsers = { 'jest-json': parseJestJson, 'junit-xml': parseJunitXml } satisfies Record<
  ReportFiles['format'],
  (text: string) => Report | undefined
>
const maxBytes = 50_000_000

/** Reports of builds that were not ours to configure, where their tools put them. */
const usualReports: ReportFiles = {
  format: 'junit-xml',
  files: /(^|\/)(target\/surefire-reports|build\/test-results\/.+)\/TEST-[^/]+\.xml$/,
}

/** Which reports there are, and when each was written. */
type Found = Map<string, number>

const matching = async (files: ReportFiles['files'], folder: string): Promise<string[]> => {
  if (typeof files === 'string') return [files]
  const found: string[] = []
  for await (const file of walkFiles(folder)) if (files.test(file)) found.push(path.join(folder, file))
  return found
}

const findReports = async (files: ReportFiles['files'], folder: string): Promise<Found> => {
  const found: Found = new Map()
  for (const file of await matching(files, folder)) {
    const known = await stat(file).catch(() => undefined)
    if (known?.isFile() && known.size <= maxBytes) found.set(file, known.mtimeMs)
  }
  return found
}

/** Looks before a command runs; the answer reads, afterwards, what is new: a repository may hold old reports. */
export const watchReports = async ({ format, files }: ReportFiles = usualReports, folder: string) => {
  const before = await findReports(files, folder)
  return async (): Promise<Report | undefined> => {
    const after = [...(await findReports(files, folder))].filter(([file, written]) => before.get(file) !== written)
    return mergeReports(await Promise.all(after.map(async ([file]) => parsers[format](await readFile(file, 'utf8')))))
  }
}
