import { stat } from 'node:fs/promises'
import { usageError } from '../failure.ts'
import { complaint, createGit, type Git } from './git.ts'

export type LocalRepository = {
  /** The commit that is checked out. */
  head: string
  /** The commit that `--base` means. */
  base?: string
  /** The named folder below the repository's root; empty for all of it. */
  folder: string
  /** Files that are changed or new and not part of a commit. */
  uncommitted: number
}

export type InspectOptions = { base?: string; signal?: AbortSignal }

/** What a path offers for a review; anything without a commit is a usage error that says why. */
export const inspectRepository = async (
  path: string,
  { base, signal }: InspectOptions = {},
): Promise<LocalRepository> => {
  await checkFolder(path)
  const git = createGit(path, signal)
  const folder = await git('rev-parse', '--show-prefix').catch((error: unknown) => {
    throw signal?.aborted ? error : notRepository(path, complaint(error))
  })
  const head = await commitOf(git, 'HEAD')
  if (head === undefined) throw usageError(`${path} has no commit yet; commit something first`)
  const resolved = base === undefined ? undefined : await resolveBase(git, path, base)
  const status = await git('status', '--porcelain').catch(() => '')
  const uncommitted = status === '' ? 0 : status.split('\n').length
  return { head, ...(resolved && { base: resolved }), folder: folder.replace(/\/$/, ''), uncommitted }
}

const notRepository = (path: string, reason: string): Error =>
  usageError(`${path} is not a git repository${reason.startsWith('not a git repository') ? '' : `: ${reason}`}`)

const checkFolder = async (path: string): Promise<void> => {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined)
    throw usageError(`there is no folder ${path}; a repository is a path, or an https:// address`)
  if (!found.isDirectory()) throw usageError(`${path} is a file; name the folder of a repository`)
}

const commitOf = (git: Git, name: string): Promise<string | undefined> =>
  git('rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`).catch(() => undefined)

/** As git itself means it, else the branch of `origin` with that name; it must share history with HEAD. */
const resolveBase = async (git: Git, path: string, base: string): Promise<string> => {
  const shallow = (await git('rev-parse', '--is-shallow-repository')) === 'true'
  const hint = shallow ? `; ${path} is a shallow clone, fetch more of it (git fetch --unshallow)` : ''
  const commit = (await commitOf(git, base)) ?? (await commitOf(git, `refs/remotes/origin/${base}`))
  if (commit === undefined)
    throw usageError(`${path} has no commit ${base}; --base takes a branch, a tag or a commit${hint}`)
  await git('merge-base', commit, 'HEAD').catch(() => {
    throw usageError(`${base} and HEAD of ${path} have no common ancestor${hint}`)
  })
  return commit
}
