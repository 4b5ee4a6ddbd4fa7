import type { BreakingChange, Entry, Recommendation } from './contract.ts'
import { escapeMarkdown } from './markdown.ts'

export type RenderedGroup = { title: string; count: number; entries: Entry[] }
export type Notes = { version: Recommendation; breaking: BreakingChange[]; groups: RenderedGroup[] }

const short = (hash: string) => hash.slice(0, 7)

const item = (text: string, scope: string | undefined, hash: string) =>
  scope
    ? `- **${escapeMarkdown(scope)}:** ${escapeMarkdown(text)} (${short(hash)})`
    : `- ${escapeMarkdown(text)} (${short(hash)})`

const breakingItem = ({ commit, summary, note }: BreakingChange) =>
  note === summary || note === ''
    ? item(summary, undefined, commit)
    : `${item(summary, undefined, commit)}\n  ${escapeMarkdown(note)}`

const section = (title: string, items: string[], omitted = 0): string => {
  const more = omitted > 0 ? [`- … and ${omitted} more`] : []
  return [`### ${title}`, '', ...items, ...more].join('\n')
}

/** The notes as Markdown: breaking changes first, then the groups. */
export const renderNotes = ({ version, breaking, groups }: Notes): string => {
  const heading = `## ${version.bump === 'none' ? 'Unreleased' : version.recommended}`
  const sections = groups.map(({ title, count, entries }) =>
    section(
      title,
      entries.map(({ subject, scope, hash }) => item(subject, scope, hash)),
      count - entries.length,
    ),
  )
  const parts = [
    heading,
    ...(breaking.length > 0 ? [section('Breaking Changes', breaking.map(breakingItem))] : []),
    ...(sections.length > 0 ? sections : ['Nothing has changed.']),
  ]
  return `${parts.join('\n\n')}\n`
}
