import { readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import * as z from 'zod'
import { type Analyzer, type Subject, Unavailable } from '../analyzer.ts'
import type { Place, Remark } from '../finding.ts'
import type { SourceFile } from '../source/source-files.ts'
import { runTool } from './run-tool.ts'

const extensions =
  /\.(js|mjs|cjs|jsx|ts|mts|cts|tsx|py|go|java|kt|scala|groovy|rb|php|rs|c|h|cc|cpp|cxx|hpp|cs|swift|m|dart|lua|pl|vue|svelte)$/
/** Shorter ones are patterns of the language, or cheaper repeated than shared. */
const shortest = { lines: 20, tokens: 120 }
/** Compared at once; jscpd takes about a kilobyte a line. */
const linesAtOnce = 250_000

/** Code that stands in two places, by jscpd. Tests repeat themselves on purpose and are left out. */
export const duplicates: Analyzer = {
  id: 'duplicates',
  looksAt: 'source files outside of tests',
  applies: (file) => extensions.test(file.path) && !file.test,
  run: async function* (subject) {
    const binary = findBinary()
    const batches = batchesOf(subject.everything.filter((file) => duplicates.applies(file)))
    const compared = new Set(subject.files)
    for (const batch of batches) {
      // Without a change in it, no duplicate of it is wanted.
      if (batch.some((file) => compared.has(file))) yield* await compare(subject, binary, batch)
      subject.advance(batch.filter((file) => compared.has(file)).length)
    }
    const split = new Set(batches.map(([first]) => path.extname(first?.path ?? ''))).size < batches.length
    if (split) subject.note(`files were compared within ${batches.length} parts of the repository, not across them`)
  },
}

/** The program itself: its Node wrapper would outlive a cancelled task. */
const findBinary = (): string => {
  const require = createRequire(import.meta.url)
  const { getPlatformKey, PLATFORM_MAP } = platformSchema.parse(require('jscpd/platform-map.js'))
  const entry = PLATFORM_MAP[getPlatformKey() ?? '']
  if (!entry) throw new Unavailable(`jscpd has no program for ${process.platform} ${process.arch}`)
  try {
    const folder = path.dirname(
      createRequire(require.resolve('jscpd/package.json')).resolve(`${entry.packageName}/package.json`),
    )
    return path.join(folder, 'bin', process.platform === 'win32' ? 'jscpd.exe' : 'jscpd')
  } catch {
    throw new Unavailable(`the package ${entry.packageName} is not installed`)
  }
}
const platformSchema = z.object({
  getPlatformKey: z.custom<() => string | undefined>((value) => typeof value === 'function'),
  PLATFORM_MAP: z.record(z.string(), z.object({ packageName: z.string() })),
})

/** Duplicates are found within one language only: each has its own batches, by path. */
const batchesOf = (files: readonly SourceFile[]): SourceFile[][] => {
  const batches: SourceFile[][] = []
  for (const group of Map.groupBy(files, (file) => path.extname(file.path)).values()) {
    let lines = Number.POSITIVE_INFINITY
    for (const file of group) {
      if (lines + file.lines > linesAtOnce) {
        batches.push([])
        lines = 0
      }
      batches.at(-1)?.push(file)
      lines += file.lines
    }
  }
  return batches
}

const compare = async (subject: Subject, program: string, files: SourceFile[]): Promise<Remark[]> => {
  const config = path.join(subject.scratch, 'jscpd.json')
  const report = path.join(subject.scratch, 'jscpd-report.json')
  await writeFile(config, JSON.stringify(configuration(subject, files)))
  const args = ['--config', config, '--workers', '2', '--no-tips']
  const { code, stderr } = await runTool({ program, args, cwd: subject.scratch, signal: subject.signal })
  const text = await readFile(report, 'utf8').catch(() => undefined)
  if (text === undefined) throw new Error(`jscpd ended with ${code}: ${stderr.slice(-500)}`)
  await rm(report)
  const clones = reportSchema.parse(JSON.parse(text)).duplicates
  return clones.flatMap((clone) => toRemark(subject, clone) ?? [])
}

const configuration = (subject: Subject, files: SourceFile[]) => ({
  path: files.map((file) => path.join(subject.folder, file.path)),
  minLines: shortest.lines,
  minTokens: shortest.tokens,
  maxLines: 100_000,
  maxSize: '1mb',
  mode: 'weak',
  gitignore: false,
  absolute: true,
  reporters: ['json'],
  output: subject.scratch,
  silent: true,
})

const fragment = z.object({ name: z.string(), start: z.int(), end: z.int() })
const cloneSchema = z.object({ firstFile: fragment, secondFile: fragment, lines: z.int() })
const reportSchema = z.object({ duplicates: z.array(cloneSchema) })

/** Told where it is wanted: at the later end, or at the one that changed. */
const toRemark = (subject: Subject, { firstFile, secondFile }: z.infer<typeof cloneSchema>): Remark | undefined => {
  const ends = [firstFile, secondFile].map((end) => toPlace(subject, end)).sort((a, b) => byPosition(b, a))
  const [later, earlier] = ends
  if (!later || !earlier) return undefined
  const [here, there] = subject.concerns(later.file, later.line, later.endLine) ? [later, earlier] : [earlier, later]
  const lines = here.endLine - here.line + 1
  return {
    ...here,
    severity: 'info',
    rule: 'jscpd/duplicate',
    message: `${lines} lines repeat ${there.file}:${there.line}-${there.endLine}`,
    related: { ...there, message: 'the other place' },
  }
}

const byPosition = (a: Place, b: Place) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1)

const toPlace = (subject: Subject, { name, start, end }: z.infer<typeof fragment>) => ({
  file: path.relative(subject.folder, name).split(path.sep).join('/'),
  line: Math.min(start, end),
  endLine: Math.max(start, end),
})
