import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import * as z from 'zod'
import { type AgentContext, AgentError, type RepositoryInput } from '#agent/sdk/index.ts'
import { objectRefSchema } from '#shared/contracts/common.ts'
import { fetchBundle } from './fetch-bundle.ts'
import { fetchUrl } from './fetch-url.ts'
import { createGit, type Git, GitError, lastLine } from './git.ts'
import { resolveCommit } from './resolve-commit.ts'

const ref = z
  .string()
  .min(1)
  .max(255)
  .regex(/^(?!-)[^\s\p{Cc}:]+$/u, 'expected a branch, a tag or a commit')
  .optional()

/** What a capability that works on a repository takes: `{url, ref?}` or `{bundle: {$ref}, ref?}`. */
export const repositoryInput = z.union([
  z.strictObject({ url: z.string().min(1).max(2048), ref }),
  z.strictObject({ bundle: objectRefSchema, ref }),
])

export type CheckOutOptions = {
  repository: RepositoryInput
  /** Commits of history to fetch from a url. @default all */
  depth?: number
  /** Links as links; otherwise a link is a file that holds its target, and nothing outside can be read. @default false */
  symlinks?: boolean
}

export type CheckedOut = {
  /** Of the work tree. */
  folder: string
  /** The commit that is checked out. */
  head: string
  /** What was asked for, or the branch that the repository's HEAD names; `HEAD` when it names none. */
  ref: string
  /** For more questions, with the same precautions. */
  git: Git
}

/**
 * Brings a repository into the workspace. Only https and uploaded bundles; no credentials, prompts, hooks, filters,
 * submodules, or configuration of the host. What cannot work on another attempt is not retryable.
 */
export const checkOut = async (
  ctx: AgentContext,
  { repository, depth, symlinks = false }: CheckOutOptions,
): Promise<CheckedOut> => {
  const folder = path.join(ctx.workspace, 'repository')
  const home = path.join(ctx.workspace, 'git-home')
  await Promise.all([mkdir(folder), mkdir(home)])
  const git = createGit({ folder, home, signal: ctx.signal })
  await git.run('init', '--quiet', '--template=', '--initial-branch=devcycle')
  await git.run('config', 'core.symlinks', String(symlinks))
  const { head: name, ref } =
    'url' in repository ? await fetchUrl(git, { ...repository, depth }) : await fetchBundle(ctx, git, repository)
  const head = await resolveCommit(git, name)
  if (!head) throw new AgentError(`${ref} is not in the repository`, { retryable: false })
  await writeFiles(git, head)
  return { folder, head, ref, git }
}

const writeFiles = async (git: Git, head: string): Promise<void> => {
  try {
    await git.run('checkout', '--quiet', '--force', '--detach', head)
  } catch (error) {
    if (!(error instanceof GitError)) throw error
    const message = `the files of ${head} cannot be checked out: ${lastLine(error.stderr)}`
    throw new AgentError(message, { retryable: false, cause: error })
  }
}
