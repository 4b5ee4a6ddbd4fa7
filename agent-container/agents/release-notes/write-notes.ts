import { type AgentContext, AgentError } from '#agent/sdk/index.ts'
import { checkOut } from '../repository/check-out.ts'
import type { Git } from '../repository/git.ts'
import { resolveCommit } from '../repository/resolve-commit.ts'
import { type Collected, createCollector } from './collect.ts'
import { type BreakingChange, type Entry, limits, type NotesInput, type NotesResult, type Point } from './contract.ts'
import { groupNames, groups } from './groups.ts'
import { countCommits, readHistory } from './history.ts'
import { oneLine } from './markdown.ts'
import { type Change, readCommit } from './read-commit.ts'
import { recommend } from './recommend.ts'
import { type RenderedGroup, renderNotes } from './render.ts'
import { latestVersion, type VersionTag, versionBefore } from './versions.ts'

/** Reads the history between two refs, groups it, recommends a version, and writes it down. */
export const writeNotes = async (ctx: AgentContext, input: NotesInput): Promise<NotesResult> => {
  ctx.progress(0, 'checking out')
  const { git, head, ref } = await ctx.span('check out', () => checkOut(ctx, { repository: input.repository }))
  const to = input.to === undefined ? { ref, commit: head } : await pointOf(git, input.to)
  const { from, current } = await startOf(git, to, input.from)
  const collected = await ctx.span('read history', () => collect(ctx, git, from?.commit, to.commit))
  const version = recommend(collected, current?.version)
  const breaking = breakingOf(collected)
  const all = groupsOf(collected)
  const told = await bounded(ctx, renderNotes({ version, breaking, groups: all }))
  ctx.progress(100, `${collected.commits} commits, ${version.recommended} recommended`)
  return { ...told, version, breaking, groups: firstOf(all, limits.entries), commits: collected.commits, from, to }
}

const pointOf = async (git: Git, ref: string): Promise<Point> => {
  const commit = await resolveCommit(git, ref)
  if (commit) return { ref, commit }
  const message = `${JSON.stringify(ref)} is not in the repository: expected a tag, a branch or a commit of it`
  throw new AgentError(message, { code: 'UNKNOWN_REF', retryable: false })
}

type Start = { from: Point | null; current: VersionTag | undefined }

const startOf = async (git: Git, to: Point, asked: string | undefined): Promise<Start> => {
  if (asked !== undefined) {
    const from = await pointOf(git, asked)
    return { from, current: await latestVersion(git, from.commit) }
  }
  const current = await versionBefore(git, to.commit)
  return { from: current ? await pointOf(git, `refs/tags/${current.tag}`).then(named(current.tag)) : null, current }
}

const named = (ref: string) => (point: Point) => ({ ...point, ref })

const collect = async (ctx: AgentContext, git: Git, from: string | undefined, to: string): Promise<Collected> => {
  const total = await countCommits(git, from, to)
  const collector = createCollector()
  let read = 0
  for await (const commit of readHistory(git, from, to)) {
    collector.add(readCommit(commit))
    if (++read % 1000 === 0) ctx.progress(10 + (80 * read) / total, `${read} of ${total} commits read`)
  }
  return collector.end()
}

const entryOf = ({ hash, subject, type, scope, author }: Change): Entry => {
  const name = nameOf(author)
  return {
    hash,
    subject: oneLine(subject, limits.subject),
    ...(type && { type }),
    ...(scope && { scope: oneLine(scope, limits.subject) }),
    ...(name && { author: name }),
  }
}

/** A name that is an address is told without where it leads. */
const nameOf = (author: string): string => oneLine(author.replace(/@.*$/, ''), limits.subject)

const groupsOf = ({ changes, counts }: Collected): RenderedGroup[] =>
  groupNames
    .map((name) => ({
      title: groups[name].title,
      count: counts.get(name) ?? 0,
      entries: changes.filter(({ group }) => group === name).map(entryOf),
    }))
    .filter(({ count }) => count > 0)

const breakingOf = ({ changes }: Collected): BreakingChange[] =>
  changes
    .flatMap(({ hash, subject, breaking }) =>
      breaking.map((note) => ({
        commit: hash,
        summary: oneLine(subject, limits.subject),
        note: oneLine(note, limits.note),
      })),
    )
    .slice(0, limits.breaking)

/** The first entries, over all groups together. */
const firstOf = (all: RenderedGroup[], limit: number): RenderedGroup[] => {
  let left = limit
  return all.map((group) => {
    const entries = group.entries.slice(0, left)
    left -= entries.length
    return { ...group, entries }
  })
}

/** What is too long for an answer is cut at a line, and uploaded whole. */
const bounded = async (ctx: AgentContext, markdown: string): Promise<Pick<NotesResult, 'markdown' | 'complete'>> => {
  if (markdown.length <= limits.markdown) return { markdown }
  const complete = await ctx.objects.put(markdown, { contentType: 'text/markdown' })
  const cut = markdown.lastIndexOf('\n', limits.markdown)
  return { markdown: `${markdown.slice(0, cut)}\n\n… cut here: it is longer than an answer.\n`, complete }
}
