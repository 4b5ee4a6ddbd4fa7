import { sep } from 'node:path'
import { type ProcessRow, readProcesses, variableOf } from './processes.ts'

/** A process that has this variable with a task's workspace belongs to that task, wherever it went. */
export const markName = 'TASK_WORKSPACE'

const rounds = 20

/**
 * Kills processes, and again while there are some that were not seen before: they may have started others meanwhile.
 * `find` answers who is left.
 */
export const killUntilNone = (find: () => ProcessRow[]): void => {
  const seen = new Set<string>()
  for (let round = 0; round < rounds; round++) {
    const fresh = find().filter(({ pid, startedAt }) => pid !== process.pid && !seen.has(`${pid} ${startedAt}`))
    if (fresh.length === 0) return
    for (const { pid, startedAt } of fresh) {
      seen.add(`${pid} ${startedAt}`)
      signal(pid, 'SIGKILL')
    }
  }
}

/** Nothing where the process has ended meanwhile. */
export const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name)
  } catch {
    // it ended meanwhile
  }
}

/** Ends what tasks left behind that had their workspaces in this folder. */
export const killLeftovers = (folder: string): void =>
  killUntilNone(() =>
    readProcesses().filter(({ pid }) => variableOf(pid, markName)?.startsWith(`${folder}${sep}`) === true),
  )
