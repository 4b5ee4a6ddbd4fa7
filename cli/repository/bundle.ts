import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { usageError } from '../failure.ts'

const run = promisify(execFile)

const git = async (folder: string, ...args: string[]): Promise<string> =>
  (await run('git', ['-C', folder, ...args], { maxBuffer: 1 << 26 })).stdout.trim()

const firstLine = (error: unknown): string =>
  String((error as { stderr?: string }).stderr ?? error)
    .trim()
    .split('\n')
    .at(-1) ?? ''

export type LocalRepository = {
  head: string
  base?: string
  /** Changes that are not committed are not part of a bundle. */
  uncommitted: number
}

/** What a local repository offers; anything that is none, or has no commit, is a usage error. */
export const inspectRepository = async (path: string, base?: string): Promise<LocalRepository> => {
  await git(path, 'rev-parse', '--git-dir').catch((error: unknown) => {
    const missing = (error as { code?: string }).code === 'ENOENT' && String(error).includes('spawn git')
    throw usageError(
      missing ? 'git is needed and was not found' : `${path} is not a git repository: ${firstLine(error)}`,
    )
  })
  const head = await git(path, 'rev-parse', '--verify', 'HEAD^{commit}').catch(() => {
    throw usageError(`${path} has no commit yet; commit something first`)
  })
  const resolved = base === undefined ? undefined : await resolveBase(path, base)
  const status = await git(path, 'status', '--porcelain', '--untracked-files=no')
  return { head, ...(resolved && { base: resolved }), uncommitted: status === '' ? 0 : status.split('\n').length }
}

const resolveBase = (path: string, base: string): Promise<string> =>
  git(path, 'rev-parse', '--verify', '--end-of-options', `${base}^{commit}`).catch(() => {
    throw usageError(`${path} has no commit ${base}; --base takes a branch, a tag or a commit`)
  })

/** Makes a bundle of everything that HEAD can reach, hands its path to `use`, and removes it. */
export const withBundle = async <T>(path: string, use: (file: string) => Promise<T>): Promise<T> => {
  const folder = await mkdtemp(join(tmpdir(), 'devcycle-bundle-'))
  const file = join(folder, 'repository.bundle')
  try {
    await git(path, 'bundle', 'create', '--quiet', file, 'HEAD', '--branches', '--tags')
    return await use(file)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
