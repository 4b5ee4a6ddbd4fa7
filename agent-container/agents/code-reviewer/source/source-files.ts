import { open } from 'node:fs/promises'
import path from 'node:path'
import { AgentError } from '#agent/sdk/index.ts'
import { type Git, GitError } from '../../repository/git.ts'
import { limits } from '../contract.ts'
import { skippedByContent, skippedByName } from './skip-rules.ts'

export type SourceFile = {
  /** From the repository's root, with `/`. */
  path: string
  lines: number
  /** Tests, fixtures, examples: what is wrong there does less harm. */
  test: boolean
  lockfile: boolean
}

export type SourceFiles = { files: SourceFile[]; skipped: Record<string, number> }

const lockfiles = new Set(['package-lock.json', 'npm-shrinkwrap.json', 'yarn.lock', 'pnpm-lock.yaml', 'go.sum'])

const testPaths = [
  /(^|\/)(tests?|__tests__|__mocks__|specs?|testdata|testing|fixtures?|mocks?|examples?|e2e|bench(marks?)?|demos?)\//i,
  /[._-](test|tests|spec|bench|e2e)\.[a-z]+$/i,
  /(^|\/)(test_[^/]*|conftest)\.py$/,
  /(^|\/)\w+[-_]tests?\//,
  // Go's helpers for tests: httptest, fstest.
  /(^|\/)\w+test\/[^/]+\.(go|key|pem|crt)$/,
]
const isTest = (file: string) => testPaths.some((pattern) => pattern.test(file))

/** The tracked text files worth a look, by path: no links, submodules, vendored, generated, minified or huge files. */
export const listSourceFiles = async (git: Git, paths: string[] = []): Promise<SourceFiles> => {
  const files: SourceFile[] = []
  const skipped: Record<string, number> = {}
  for await (const { file, mode } of trackedFiles(git, paths)) {
    const looked = await lookAt(git.folder, file, mode)
    if (typeof looked === 'string') skipped[looked] = (skipped[looked] ?? 0) + 1
    else files.push(looked)
  }
  return { files: files.sort((a, b) => (a.path < b.path ? -1 : 1)), skipped }
}

const trackedFiles = async function* (git: Git, paths: string[]) {
  let any = false
  try {
    for await (const entry of git.records('--glob-pathspecs', 'ls-files', '--stage', '-z', '--', ...paths)) {
      any = true
      yield { mode: entry.slice(0, 6), file: entry.slice(entry.indexOf('\t') + 1) }
    }
  } catch (error) {
    if (!(error instanceof GitError)) throw error
    throw new AgentError(`the paths cannot be used: ${error.message}`, { retryable: false, cause: error })
  }
  if (!any && paths.length > 0) {
    throw new AgentError(`no tracked file matches the paths ${paths.slice(0, 5).join(', ')}`, { retryable: false })
  }
}

const modes: Record<string, string> = { '120000': 'link', '160000': 'submodule' }

/** The file, or the reason to leave it out. */
const lookAt = async (folder: string, file: string, mode: string): Promise<SourceFile | string> => {
  const reason = modes[mode] ?? skippedByName(file)
  if (reason) return reason
  const lockfile = lockfiles.has(path.posix.basename(file))
  const content = await readBytes(path.join(folder, file), lockfile ? limits.lockfileBytes : limits.fileBytes)
  if (typeof content === 'string') return content
  const skipped = lockfile ? undefined : skippedByContent(file, content)
  return skipped ?? { path: file, lines: countLines(content), test: isTest(file), lockfile }
}

const readBytes = async (file: string, most: number): Promise<Buffer | string> => {
  // A name that is not UTF-8 cannot be opened under the name we have.
  const handle = await open(file).catch(() => undefined)
  if (!handle) return 'unreadable'
  try {
    const stat = await handle.stat()
    if (!stat.isFile()) return 'unreadable'
    return stat.size > most ? 'too large' : await handle.readFile()
  } finally {
    await handle.close()
  }
}

const countLines = (content: Buffer): number => {
  let lines = 0
  for (let at = content.indexOf(10); at !== -1; at = content.indexOf(10, at + 1)) lines++
  return content.length > 0 && content.at(-1) !== 10 ? lines + 1 : lines
}
