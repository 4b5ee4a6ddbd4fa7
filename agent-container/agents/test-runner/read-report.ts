import { glob, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import type { ReportFiles } from './find/plan.ts'
import { parseJestJson } from './formats/jest-json.ts'
import { parseJunitXml } from './formats/junit-xml.ts'
import { mergeReports, type Report } from './formats/report.ts'

const parsers = { 'jest-json': parseJestJson, 'junit-xml': parseJunitXml } satisfies Record<
  ReportFiles['format'],
  (text: string) => Report | undefined
>
const maxBytes = 50_000_000
/** File systems may keep coarser times than the clock. */
const clockSlackMs = 10

/** Reports of builds that were not ours to configure, where their tools put them. */
export const usualReports: ReportFiles = {
  format: 'junit-xml',
  files: '{**/,}{target/surefire-reports,build/test-results/**}/TEST-*.xml',
}

const matching = async (files: string, folder: string): Promise<string[]> => {
  if (path.isAbsolute(files)) return [files]
  const found: string[] = []
  const exclude = (name: string) => path.basename(name) === 'node_modules'
  for await (const file of glob(files, { cwd: folder, exclude })) found.push(path.join(folder, file))
  return found
}

/** Reads the reports that were written since a time, `undefined` when there is none. */
export const readReports = async ({ format, files }: ReportFiles, folder: string, since: number) => {
  const reports: (Report | undefined)[] = []
  for (const file of await matching(files, folder)) {
    const found = await stat(file).catch(() => undefined)
    if (!found?.isFile() || found.size > maxBytes || found.mtimeMs < since - clockSlackMs) continue
    reports.push(parsers[format](await readFile(file, 'utf8')))
  }
  return mergeReports(reports)
}
