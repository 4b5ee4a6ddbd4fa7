import { execFile, spawnSync } from 'node:child_process'
import type { Resources } from '../../sdk/resources.ts'

/** How a program is started so that it has what its limits leave it. */
export type Launch = { execPath: string; execArgv: string[] }

/** A network of its own, in which there is nothing: for root, and for others where users may have namespaces. */
const unshare = ['--net', '--map-root-user']

/** Why this host cannot keep to the limits; `undefined` when it can. */
export const launchProblem = ({ network }: Pick<Resources, 'network'>): string | undefined => {
  if (network || spawnSync('unshare', [...unshare, 'true'], { stdio: 'ignore' }).status === 0) return undefined
  return 'the agent asks for tasks without a network (resources.network: false), and this host cannot take it from them: it needs Linux with the program unshare, and root or user namespaces'
}

/** Node itself, behind whatever takes the network from it. */
export const launchOf = ({ network }: Pick<Resources, 'network'>, nodeFlags: string[]): Launch =>
  network
    ? { execPath: process.execPath, execArgv: nodeFlags }
    : { execPath: 'unshare', execArgv: [...unshare, process.execPath, ...nodeFlags] }

/** Bounds what a process may open, and everything that it starts from then on; nothing where there is no `prlimit`. */
export const limitOpenFiles = (pid: number, files: number): void => {
  execFile('prlimit', [`--pid=${pid}`, `--nofile=${files}:${files}`], () => undefined)
}
