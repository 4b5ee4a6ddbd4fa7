import { writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import * as z from 'zod'
import type { Analyzer, Subject } from '../analyzer.ts'
import type { Remark } from '../finding.ts'
import type { SourceFile } from '../source/source-files.ts'
import { javascriptRules, type Rule } from './javascript-rules.ts'
import { inBatches, runTool } from './run-tool.ts'

const extensions = /\.(js|mjs|cjs|jsx|ts|mts|cts|tsx)$/
const filesAtOnce = 400

/** JavaScript and TypeScript by oxlint, with our rules: no configuration or plugin of the repository is read. */
export const javascript: Analyzer = {
  id: 'javascript',
  looksAt: 'JavaScript or TypeScript files',
  applies: (file) => extensions.test(file.path),
  run: async function* (subject) {
    const config = path.join(subject.scratch, 'oxlint.json')
    await writeFile(config, JSON.stringify(configuration))
    for (const files of inBatches(subject.files, filesAtOnce)) {
      yield* await lint(subject, config, files)
      subject.advance(files.length)
    }
  },
}

const configuration = {
  plugins: ['typescript', 'unicorn', 'oxc'],
  categories: { correctness: 'off' },
  rules: Object.fromEntries(
    Object.entries(javascriptRules).map(([rule, { options }]) => [rule, options ? ['warn', options] : 'warn']),
  ),
}

const flags = ['--disable-nested-config', '--no-ignore', '--format=json', '--threads=2']

const lint = async (subject: Subject, config: string, files: SourceFile[]): Promise<Remark[]> => {
  const oxlint = path.join(path.dirname(createRequire(import.meta.url).resolve('oxlint/package.json')), 'bin/oxlint')
  const { code, stdout, stderr } = await runTool({
    program: process.execPath,
    args: [oxlint, '--config', config, ...flags, ...files.map((file) => path.join(subject.folder, file.path))],
    cwd: subject.scratch,
    signal: subject.signal,
  })
  const report = output.safeParse(parseJson(stdout))
  if (!report.success) throw new Error(`oxlint ended with ${code}: ${(stderr || stdout).slice(0, 500)}`)
  const tests = new Set(files.filter(({ test }) => test).map(({ path }) => path))
  const remarks = report.data.diagnostics.flatMap((diagnostic) => toRemark(diagnostic, subject.folder, tests) ?? [])
  const readable = await Promise.all(remarks.map((remark) => isReadable(subject, remark)))
  return remarks.filter((_remark, index) => readable[index])
}

/** Flow is a language of its own that shares the extension. */
const isReadable = async (subject: Subject, { rule, file }: Remark): Promise<boolean> =>
  rule !== syntaxError || !/@flow\b/.test((await subject.read({ path: file })).slice(0, 2000))

const syntaxError = 'oxlint/syntax-error'

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const diagnosticSchema = z.object({
  message: z.string(),
  /** `eslint(no-debugger)`; absent when the file cannot be parsed. */
  code: z.string().optional(),
  url: z.string().optional(),
  filename: z.string(),
  labels: z.array(z.object({ span: z.object({ line: z.int(), column: z.int() }) })),
})
const output = z.object({ diagnostics: z.array(diagnosticSchema) })

const toRemark = (found: z.infer<typeof diagnosticSchema>, folder: string, tests: Set<string>): Remark | undefined => {
  const file = path.relative(folder, found.filename).split(path.sep).join('/')
  const [, plugin, name] = /^([\w-]+)\((.+)\)$/.exec(found.code ?? '') ?? []
  const row = plugin === undefined ? unparsed : javascriptRules[plugin === 'eslint' ? `${name}` : `${plugin}/${name}`]
  if (!row) return undefined
  const { severity, inTests = severity, later = false } = row
  const level = tests.has(file) ? inTests : severity
  if (level === 'off') return undefined
  const rule = plugin === undefined ? syntaxError : `${plugin}/${name}`
  const spans = found.labels.map(({ span }) => span).sort((a, b) => a.line - b.line || a.column - b.column)
  const { line = 1, column } = (later ? spans.at(-1) : found.labels[0]?.span) ?? {}
  return { file, line, column, severity: level, rule, message: found.message, helpUri: found.url }
}

const unparsed: Rule = { severity: 'error', inTests: 'info' }
