import { type Git, GitError } from './git.ts'

/** What came from outside, before anything is checked out: `head` leads to a commit, `ref` is its name for people. */
export type Fetched = { head: string; ref: string }

/** The commit that a branch, tag, short or long hash means, also where a branch is only known as `origin/<name>`. */
export const resolveCommit = async (git: Git, name: string): Promise<string | undefined> => {
  for (const candidate of [name, `refs/remotes/origin/${name}`]) {
    const commit = await peel(git, candidate)
    if (commit) return commit
  }
  return undefined
}

const peel = async (git: Git, name: string): Promise<string | undefined> => {
  try {
    return await git.run('rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`)
  } catch (error) {
    if (error instanceof GitError) return undefined
    throw error
  }
}
