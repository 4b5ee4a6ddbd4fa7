import type { ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

const everyMs = 500
const pageBytes = 4096

/** Fields of `/proc/PID/stat` after the name, which may itself contain anything. */
const groupAndPages = (pid: string): { group: number; pages: number } | undefined => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { group: Number(fields[2]), pages: Number(fields[21]) }
  } catch {
    return undefined
  }
}

/** Resident megabytes of a process group; `undefined` where there is no `/proc`. */
const residentMb = (group: number): number | undefined => {
  try {
    const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
    const pages = all.map(groupAndPages).reduce((sum, one) => sum + (one?.group === group ? one.pages : 0), 0)
    return (pages * pageBytes) / 1024 ** 2
  } catch {
    return undefined
  }
}

/** Watches a process and its children; `stop` answers the megabytes that went over the cap, if they did. */
export const watchMemory = (child: ChildProcess, capMb: number, onOver: () => void): { stop(): number | undefined } => {
  let over: number | undefined
  const timer = setInterval(() => {
    const used = child.pid === undefined ? undefined : residentMb(child.pid)
    if (over !== undefined || used === undefined || used <= capMb) return
    over = Math.round(used)
    onOver()
  }, everyMs)
  timer.unref()
  return {
    stop() {
      clearInterval(timer)
      return over
    },
  }
}
