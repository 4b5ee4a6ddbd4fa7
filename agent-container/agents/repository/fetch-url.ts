import { AgentError } from '#agent/sdk/index.ts'
import { type Git, GitError, lastLine } from './git.ts'
import { type Fetched, resolveCommit } from './resolve-commit.ts'

type UrlInput = { url: string; ref?: string | undefined; depth?: number | undefined }

const overHttps = ['-c', 'protocol.https.allow=always']
const branchesAndTags = ['+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*']
const fetchedRef = 'refs/devcycle/fetched'

/** Fetches over https: with `depth` the asked commits only, else all branches and tags. */
export const fetchUrl = async (git: Git, { url, ref, depth }: UrlInput): Promise<Fetched> => {
  const address = checkedUrl(url)
  const fetch = (...args: string[]) => git.run(...overHttps, 'fetch', '--quiet', '--no-tags', ...args)
  return explained(address, async () => {
    const wanted = ref ?? 'HEAD'
    const head = ref ?? (await defaultBranch(git, address))
    if (depth !== undefined && (await succeeds(() => fetch(`--depth=${depth}`, address, `+${wanted}:${fetchedRef}`)))) {
      return { head: fetchedRef, ref: head }
    }
    await fetch(address, ...branchesAndTags)
    if (await resolveCommit(git, head)) return { head, ref: head }
    // What no branch or tag leads to: a pull request, a bare commit, a HEAD of its own.
    await fetch(address, `+${wanted}:${fetchedRef}`)
    return { head: fetchedRef, ref: head }
  })
}

const checkedUrl = (text: string): string => {
  const url = URL.parse(text)
  if (url?.protocol !== 'https:') {
    throw new AgentError(`expected a repository's https:// address, got ${withoutCredentials(text)}`, {
      retryable: false,
    })
  }
  if (url.username !== '' || url.password !== '') {
    throw new AgentError('the repository address holds credentials: leave them out, or upload a bundle', {
      retryable: false,
    })
  }
  return url.href
}

const withoutCredentials = (text: string) => text.replace(/\/\/[^/@]*@/, '//').slice(0, 200)

/** The branch that HEAD names, or `HEAD`. */
const defaultBranch = async (git: Git, address: string): Promise<string> => {
  const answer = await git.run(...overHttps, 'ls-remote', '--symref', '--end-of-options', address, 'HEAD')
  if (answer === '') throw new AgentError(`the repository ${address} is empty`, { retryable: false })
  return /^ref: refs\/heads\/(\S+)\tHEAD$/m.exec(answer)?.[1] ?? 'HEAD'
}

const succeeds = async (work: () => Promise<unknown>): Promise<boolean> => {
  try {
    await work()
    return true
  } catch (error) {
    if (error instanceof GitError && !isPassing(error)) return false
    throw error
  }
}

const explained = async <T>(address: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof GitError)) throw error
    const message = `${address} cannot be fetched: ${lastLine(error.stderr)}`
    throw new AgentError(message, { retryable: isPassing(error), cause: error })
  }
}

/** Troubles of networks and servers that another attempt may not meet. */
const passing = [
  /could not resolve host/i,
  /(connection|operation|request) (was )?(refused|reset|timed out|aborted)/i,
  /failed to connect/i,
  /early EOF|unexpected disconnect|hung up unexpectedly/i,
  /returned error: (429|5\d\d)/,
]
const isPassing = ({ stderr }: GitError) => passing.some((pattern) => pattern.test(stderr))
