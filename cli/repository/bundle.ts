import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CliError, exitCodes } from '../failure.ts'
import { complaint, createGit } from './git.ts'

export type BundleOptions = {
  /** Commits besides HEAD; `names` for all branches and tags, so that an input may speak of them. */
  include: { commits: string[] } | 'names'
  signal?: AbortSignal
}

/** Bundles a repository's HEAD, hands the file to `use`, and removes it. */
export const withBundle = async <T>(
  path: string,
  { include, signal }: BundleOptions,
  use: (file: string, size: number) => Promise<T>,
): Promise<T> => {
  const folder = await mkdtemp(join(tmpdir(), 'devcycle-bundle-'))
  const file = join(folder, 'repository.bundle')
  const revisions = include === 'names' ? ['--branches', '--tags', '--remotes'] : include.commits
  try {
    await createGit(path, signal)('bundle', 'create', '--quiet', file, 'HEAD', ...revisions).catch((error: unknown) => {
      if (signal?.aborted) throw error
      throw new CliError(`${path} could not be bundled: ${complaint(error)}`, exitCodes.failed)
    })
    return await use(file, (await stat(file)).size)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
