import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { type AgentContext, AgentError } from '#agent/sdk/index.ts'
import { type Git, GitError, lastLine } from './git.ts'
import type { Fetched } from './resolve-commit.ts'

type BundleInput = { bundle: { $ref: string }; ref?: string | undefined }
type Head = { commit: string; name: string }

/** Unpacks an uploaded bundle; its refs keep their names, so `main` and `origin/main` mean what they meant before. */
export const fetchBundle = async (ctx: AgentContext, git: Git, { bundle, ref }: BundleInput): Promise<Fetched> => {
  const file = await ctx.objects.fetch(bundle)
  const heads = await explained(bundle.$ref, () => listHeads(git, file))
  const fetched = chooseHead(heads, ref)
  await explained(bundle.$ref, () => git.run('bundle', 'unbundle', file))
  await rm(file, { force: true })
  for (const { commit, name } of heads.filter((head) => head.name.startsWith('refs/'))) {
    await git.run('update-ref', name, commit)
  }
  await markShallow(git)
  return fetched
}

const listHeads = async (git: Git, file: string): Promise<Head[]> => {
  const lines = (await git.run('bundle', 'list-heads', file)).split('\n').filter((line) => line !== '')
  return lines.map((line) => ({ commit: line.slice(0, line.indexOf(' ')), name: line.slice(line.indexOf(' ') + 1) }))
}

/** The asked one; else the bundle's HEAD, called by its branch; else its only ref. */
const chooseHead = (heads: Head[], ref: string | undefined): Fetched => {
  if (ref !== undefined) return { head: ref, ref }
  const head = heads.find(({ name }) => name === 'HEAD') ?? (heads.length === 1 ? heads[0] : undefined)
  if (!head) {
    const names = heads.map(({ name }) => name).slice(0, 10)
    const message = `the bundle has no HEAD: name a ref, one of ${names.join(', ') || 'none'}`
    throw new AgentError(message, { retryable: false })
  }
  const branch = heads.find(({ name, commit }) => name.startsWith('refs/heads/') && commit === head.commit)
  return { head: head.commit, ref: branch?.name.slice('refs/heads/'.length) ?? head.name }
}

/** A bundle of a shallow clone does not say where its history ends: commits whose parents are missing do. */
const markShallow = async (git: Git): Promise<void> => {
  if (await historyIsWhole(git)) return
  const commits = new Set<string>()
  const format = '--batch-check=%(objecttype) %(objectname)'
  for await (const line of git.lines('cat-file', '--batch-all-objects', '--unordered', format)) {
    if (line.startsWith('commit ')) commits.add(line.slice('commit '.length))
  }
  const ends: string[] = []
  for await (const line of git.feed(joined(commits), 'rev-list', '--no-walk=unsorted', '--parents', '--stdin')) {
    const [commit = '', ...parents] = line.split(' ')
    if (parents.some((parent) => !commits.has(parent))) ends.push(`${commit}\n`)
  }
  await writeFile(path.join(git.folder, '.git', 'shallow'), ends.join(''))
}

const historyIsWhole = async (git: Git): Promise<boolean> => {
  try {
    await git.run('rev-list', '--all', '--quiet')
    return true
  } catch (error) {
    if (error instanceof GitError) return false
    throw error
  }
}

const joined = function* (lines: Iterable<string>): Generator<string> {
  for (const line of lines) yield `${line}\n`
}

const explained = async <T>(id: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof GitError)) throw error
    const message = `the bundle ${id} cannot be read: ${lastLine(error.stderr)}`
    throw new AgentError(message, { retryable: false, cause: error })
  }
}
