import createPreset from 'conventional-changelog-conventionalcommits'
import { CommitParser, type ParserOptions } from 'conventional-commits-parser'
import { type GroupName, groupOfSubject, groupOfType } from './groups.ts'
import type { LoggedCommit } from './history.ts'

/** A commit as the notes see it. */
export type Change = {
  hash: string
  author: string
  /** The first line, as it was written. */
  header: string
  subject: string
  type?: string
  scope?: string
  group: GroupName
  /** It says what it is by the rules of conventional commits. */
  conventional: boolean
  /** What each breaking change is about; empty for none. */
  breaking: string[]
  /** The commits that it takes back: by hash, or by first line where no hash is told. */
  reverts: { hash?: string; header?: string }[]
}

const { parser: options } = createPreset() as { parser: ParserOptions }
const parser = new CommitParser(options)

const revertHeader = /^(revert|reapply)(?:\([^)]*\))?:?\s+["“]?(.+?)["”]?(?: \(#\d+\))?$/i
/** `This reverts commit …`, of git; `Refs: …, …`, of conventional commits. */
const revertedHashes = /\breverts? commits? ([0-9a-f]{7,40})|^refs: ((?:[0-9a-f]{7,40}(?:, *)?)+)$/gim
const areaHeader = /^([\w./*,-]+(?: [\w./-]+)?:|\[[\w ./-]+\]:?) +(\S.*)$/

const withoutPullRequest = (header: string) => header.replace(/ \(#\d+\)$/, '')

/** The same change under two headers: with and without the number of its pull request. */
export const sameHeader = (one: string, other: string): boolean => withoutPullRequest(one) === withoutPullRequest(other)

/** Reads a message by the conventional-commits preset, and by its verb where that does not apply. */
export const readCommit = ({ hash, author, message }: LoggedCommit): Change => {
  const [header = '', ...body] = message.trim().split('\n')
  if (header === '') return { ...plain({ hash, author, header: '(no message)' }), breaking: [], reverts: [] }
  const commit = parser.parse(message.trim())
  const breaking = [...commit.notes.map((note) => noteText(note.text)), ...markedBreaking(header)]
  const reverts = revertedBy(header, body.join('\n'))
  const group = commit.type ? groupOfType(commit.type, commit.scope ?? undefined) : undefined
  const told = { hash, author, header }
  if (reverts.length > 0)
    return { ...plain(told), group: 'reverts', conventional: group === 'reverts', breaking, reverts }
  if (group === undefined) return { ...plain(told), breaking, reverts }
  return {
    ...told,
    subject: commit.subject || header,
    ...(commit.type && { type: commit.type.toLowerCase() }),
    ...(commit.scope && { scope: commit.scope }),
    ...{ group, conventional: true, breaking, reverts },
  }
}

/** `area: what was done`, or only what was done. */
const plain = ({ header, ...told }: Pick<Change, 'hash' | 'author' | 'header'>) => {
  const [, area, rest] = areaHeader.exec(header) ?? []
  const subject = rest ?? header
  const scope = area?.replace(/[[\]:]/g, '')
  return { ...told, header, subject, ...(scope && { scope }), group: groupOfSubject(subject), conventional: false }
}

const revertedBy = (header: string, body: string): Change['reverts'] => {
  const [, verb = '', reverted] = revertHeader.exec(header) ?? []
  if (reverted === undefined) return []
  const hashes = [...body.matchAll(revertedHashes)].flatMap(([, one, several]) => (one ?? several ?? '').split(/, */))
  if (hashes.length > 0) return hashes.filter((hash) => hash !== '').map((hash) => ({ hash }))
  return [{ header: verb.toLowerCase() === 'reapply' ? `Revert "${reverted}"` : reverted }]
}

const markedBreaking = (header: string): string[] => {
  const note = /^\[?breaking(?: change)?\]?:? +(.+)$/i.exec(header)?.[1]
  return note === undefined ? [] : [note]
}

/** Without the trailers that may follow it. */
const noteText = (text: string): string => {
  const lines = text.split('\n')
  const trailer = lines.findIndex((line) => /^[A-Z][a-z]+(?:-[a-z]+)*-by: /i.test(line))
  return lines
    .slice(0, trailer < 0 ? undefined : trailer)
    .join('\n')
    .trim()
}
