import type { ProcessRow } from './processes.ts'

const mostPauseMs = 1000

/**
 * Keeps processes to a share of the processors: what they used above it they wait for, stopped. `signal` is how they
 * are stopped and let go.
 */
export const createThrottle = (cpu: number, signal: (pid: number, name: 'SIGSTOP' | 'SIGCONT') => void) => {
  let before: { at: number; cpuSeconds: number } | undefined
  /** Seconds of processor time that were used beyond the share. */
  let debt = 0
  let stopped: number[] = []

  const letGo = (): void => {
    for (const pid of stopped) signal(pid, 'SIGCONT')
    stopped = []
  }
  return {
    /** `now` in milliseconds. Answers for how long it has stopped them. */
    see(rows: ProcessRow[], cpuSeconds: number, now: number): number {
      const seconds = before === undefined ? 0 : (now - before.at) / 1000
      const used = before === undefined ? 0 : Math.max(0, cpuSeconds - before.cpuSeconds)
      before = { at: now, cpuSeconds }
      debt = Math.max(0, debt + used - cpu * seconds)
      letGo()
      if (debt <= cpu * 0.05) return 0
      stopped = rows.map(({ pid }) => pid)
      for (const pid of stopped) signal(pid, 'SIGSTOP')
      return Math.min(mostPauseMs, (debt / cpu) * 1000)
    },
    letGo,
  }
}
