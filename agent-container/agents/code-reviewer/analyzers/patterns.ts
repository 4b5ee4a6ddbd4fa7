import type { NapiConfig, SgNode } from '@ast-grep/napi'
import type { Analyzer, Subject } from '../analyzer.ts'
import type { Remark, Severity } from '../finding.ts'
import type { SourceFile } from '../source/source-files.ts'
import { goPatterns } from './patterns/go-patterns.ts'
import { javascriptPatterns } from './patterns/javascript-patterns.ts'
import type { Pattern } from './patterns/pattern.ts'
import { pythonPatterns } from './patterns/python-patterns.ts'

/** A language by its parser's name; `load` where the parser is a package of its own. */
type Language = { parser: string; extensions: RegExp; patterns: Pattern[] }

const languages: Language[] = [
  { parser: 'Tsx', extensions: /\.(tsx|jsx|js|mjs|cjs)$/, patterns: javascriptPatterns },
  { parser: 'TypeScript', extensions: /\.(ts|mts|cts)$/, patterns: javascriptPatterns },
  { parser: 'python', extensions: /\.py$/, patterns: pythonPatterns },
  { parser: 'go', extensions: /\.go$/, patterns: goPatterns },
]
const languageOf = (file: SourceFile) => languages.find(({ extensions }) => extensions.test(file.path))

/** Dangerous shapes of code, by syntax tree, in several languages. */
export const patterns: Analyzer = {
  id: 'patterns',
  looksAt: 'JavaScript, TypeScript, Python or Go files',
  applies: (file) => languageOf(file) !== undefined,
  run: async function* (subject) {
    const { parse, missing } = await loadParsers()
    for (const [parser, reason] of missing) noteMissing(subject, parser, reason)
    for (const file of subject.files) {
      subject.signal.throwIfAborted()
      const language = languageOf(file)
      if (language && !missing.has(language.parser)) {
        const source = await subject.read(file)
        const hinted = language.patterns.filter(({ hint }) => hint.test(source))
        const root = hinted.length > 0 ? parse(language.parser, source).root() : undefined
        if (root) for (const pattern of hinted) yield* match(file, root, pattern)
      }
      subject.advance(1)
    }
  },
}

const noteMissing = (subject: Subject, parser: string, reason: string) => {
  const files = subject.files.filter((file) => languageOf(file)?.parser === parser).length
  if (files > 0) subject.note(`${files} ${parser} files were not looked at: ${reason}`)
}

/** The parsers outside of ast-grep itself come as shared libraries, which a host may lack. */
const loadParsers = async () => {
  const { parse, registerDynamicLanguage } = await import('@ast-grep/napi')
  const missing = new Map<string, string>()
  const extra: Record<string, { libraryPath: string; extensions: string[] }> = {}
  for (const [parser, load] of Object.entries(packages)) {
    try {
      // Reading the path is what fails where there is no library for this host.
      const { libraryPath, ...language } = (await load()).default
      extra[parser] = { ...language, libraryPath }
    } catch (error) {
      missing.set(parser, error instanceof Error ? error.message : String(error))
    }
  }
  registerDynamicLanguage(extra)
  return { parse, missing }
}

const packages = {
  python: () => import('@ast-grep/lang-python'),
  go: () => import('@ast-grep/lang-go'),
}

/** A longer piece of code is known by its beginning. */
const mostLines = 10

const match = function* (file: SourceFile, root: SgNode, pattern: Pattern): Generator<Remark> {
  for (const node of root.findAll(pattern.find as NapiConfig)) {
    const confirmed = pattern.confirm?.(node) ?? true
    if (confirmed === false) continue
    const severity: Severity = confirmed === true ? pattern.severity : confirmed
    const { start, end } = node.range()
    yield {
      file: file.path,
      line: start.line + 1,
      column: start.column + 1,
      ...(end.line - start.line < mostLines && { endLine: end.line + 1 }),
      severity: file.test ? 'info' : severity,
      rule: `devcycle/${pattern.id}`,
      message: pattern.message,
    }
  }
}
