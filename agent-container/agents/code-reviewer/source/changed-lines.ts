import { AgentError } from '#agent/sdk/index.ts'
import { type Git, GitError } from '../../repository/git.ts'
import { resolveCommit } from '../../repository/resolve-commit.ts'

export type Changes = {
  /** The common ancestor. */
  base: string
  has(file: string): boolean
  touches(file: string, line: number, endLine?: number): boolean
}

type Range = { from: number; to: number }

/** The lines that are new or different since the common ancestor of `base` and `head`. */
export const changesSince = async (git: Git, base: string, head: string): Promise<Changes> => {
  const ancestor = await commonAncestor(git, base, head)
  const files = await readDiff(git.lines('diff', ...diffOptions, ancestor, head))
  return {
    base: ancestor,
    has: (file) => files.has(file),
    touches: (file, line, endLine = line) =>
      files.get(file)?.some(({ from, to }) => line <= to && endLine >= from) ?? false,
  }
}

/** Only headers are read: what a hunk holds may look like one. */
const readDiff = async (lines: AsyncIterable<string>): Promise<Map<string, Range[]>> => {
  const files = new Map<string, Range[]>()
  let ranges: Range[] = []
  let inHunk = 0
  for await (const line of lines) {
    if (inHunk > 0) {
      if (!line.startsWith('\\')) inHunk--
    } else if (line.startsWith('+++ ')) {
      ranges = []
      files.set(fileOf(line.slice('+++ '.length)), ranges)
    } else if (line.startsWith('@@ ')) {
      const { removed, from, added } = hunkOf(line)
      inHunk = removed + added
      if (added > 0) ranges.push({ from, to: from + added - 1 })
    }
  }
  return files
}

const diffOptions = ['--unified=0', '--no-color', '--no-ext-diff', '--no-textconv', '--find-renames', '--no-relative']

const commonAncestor = async (git: Git, base: string, head: string): Promise<string> => {
  const commit = await resolveCommit(git, base)
  if (!commit) throw new AgentError(`the base ${base} is not in the repository`, { retryable: false })
  try {
    return await git.run('merge-base', commit, head)
  } catch (error) {
    if (!(error instanceof GitError)) throw error
    const message = `the base ${base} and ${head} have no common ancestor here: is the history of a shallow clone too short?`
    throw new AgentError(message, { retryable: false, cause: error })
  }
}

/** `@@ -start,removed +from,added @@`; a number that is left out is 1. */
const hunkOf = (line: string) => {
  const [, removed = '1', from = '0', added = '1'] = /^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line) ?? []
  return { removed: Number(removed), from: Number(from), added: Number(added) }
}

/** `b/name`, with a tab behind a name that has blanks, and quoted when it has stranger signs. */
const fileOf = (text: string): string => {
  const name = text.startsWith('"') ? unquote(text.slice(1, text.lastIndexOf('"'))) : text.replace(/\t$/, '')
  return name.replace(/^b\//, '')
}

const escapes: Record<string, string> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

const unquote = (text: string): string =>
  text.replace(/\\([0-7]{3}|.)/g, (_all, sign: string) =>
    sign.length === 3 ? String.fromCharCode(Number.parseInt(sign, 8)) : (escapes[sign] ?? sign),
  )
