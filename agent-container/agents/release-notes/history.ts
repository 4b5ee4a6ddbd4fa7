import type { Git } from '../repository/git.ts'

export type LoggedCommit = { hash: string; author: string; message: string }

/** Nobody reads further, and no pattern needs to. */
const maxMessage = 20_000

const range = (from: string | undefined, to: string) => (from === undefined ? to : `${from}..${to}`)

/** How many commits there are to tell, merges aside. */
export const countCommits = async (git: Git, from: string | undefined, to: string): Promise<number> =>
  Number(await git.run('rev-list', '--count', '--no-merges', range(from, to), '--'))

/** One commit at a time, children before their parents, merges left out. */
export const readHistory = async function* (
  git: Git,
  from: string | undefined,
  to: string,
): AsyncGenerator<LoggedCommit> {
  const format = '--format=%H%n%aN%n%B'
  const args = ['--no-merges', '--topo-order', '--encoding=UTF-8', '--no-show-signature', '--no-notes', format]
  for await (const record of git.records('log', '-z', ...args, range(from, to), '--')) {
    const [hash = '', author = '', ...message] = record.split('\n')
    if (hash !== '') yield { hash, author, message: message.join('\n').slice(0, maxMessage) }
  }
}
