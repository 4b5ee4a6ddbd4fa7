import type { Diagnostic, Workspace } from '@astral-sh/ruff-wasm-nodejs'
import type { Analyzer } from '../analyzer.ts'
import type { Remark, Severity } from '../finding.ts'
import type { SourceFile } from '../source/source-files.ts'
import { pythonRules } from './python-rules.ts'

/** Python by ruff as WebAssembly, with our rules: no configuration of the repository is read, `# noqa` counts. */
export const python: Analyzer = {
  id: 'python',
  looksAt: 'Python files',
  applies: (file) => file.path.endsWith('.py'),
  run: async function* (subject) {
    const ruff = await createRuff()
    for (const file of subject.files) {
      subject.signal.throwIfAborted()
      const source = await subject.read(file)
      const found = ruff.check(file, source)
      if (found) yield* found
      else subject.note(`ruff gave up on ${file.path}`)
      subject.advance(1)
    }
  },
}

const settings = (select: string[]) => ({ 'target-version': 'py314', lint: { select } })

/** Modules that import names for others to import from them. */
const reexports = /(^|\/)(__init__|_?compat[^/]*|_?six)\.py$/
const withoutImports = (codes: string[]) => codes.filter((code) => code !== 'F401' && code !== 'PLW0127')

const createRuff = async () => {
  const { Workspace, PositionEncoding } = await import('@astral-sh/ruff-wasm-nodejs')
  const codes = Object.keys(pythonRules)
  const create = (select: string[]): Workspace => new Workspace(settings(select), PositionEncoding.Utf16)
  const workspaces = { usual: create(codes), reexporting: create(withoutImports(codes)) }
  return {
    check: (file: SourceFile, source: string): Remark[] | undefined => {
      const workspace = reexports.test(file.path) ? workspaces.reexporting : workspaces.usual
      try {
        return toRemarks(file, workspace.check(source) as Diagnostic[])
      } catch {
        return undefined
      }
    },
  }
}

const toRemarks = (file: SourceFile, found: Diagnostic[]): Remark[] => {
  // After the first place that cannot be parsed nothing else is certain.
  const broken = found.find(({ code }) => code === null || code === 'invalid-syntax')
  return (broken ? [broken] : found).flatMap((diagnostic) => {
    const severity = severityOf(diagnostic.code ?? 'invalid-syntax', file.test)
    return severity ? [toRemark(file, diagnostic, severity)] : []
  })
}

const severityOf = (code: string, inTest: boolean): Severity | undefined => {
  if (code === 'invalid-syntax') return inTest ? 'info' : 'error'
  const { severity, inTests = severity } = pythonRules[code] ?? {}
  const level = inTest ? inTests : severity
  return level === 'off' ? undefined : level
}

const toRemark = (file: SourceFile, { code, message, start_location }: Diagnostic, severity: Severity): Remark => ({
  file: file.path,
  line: start_location.row,
  column: start_location.column,
  severity,
  rule: `ruff/${code ?? 'invalid-syntax'}`,
  message,
  helpUri: 'https://docs.astral.sh/ruff/rules/',
})
