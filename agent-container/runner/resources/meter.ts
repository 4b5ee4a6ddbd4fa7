import { bytesWritten, type ProcessRow } from './processes.ts'

/** What a task has used so far, over all of its processes. */
export type Measured = { cpuSeconds: number; peakMemoryMb: number; bytesWritten: number }

const megabyte = 1024 ** 2
/** What was written is looked at once in so many looks. */
const writtenEvery = 4
const sum = (numbers: number[]): number => numbers.reduce((total, one) => total + one, 0)

/**
 * Adds up what is seen of a task's processes. A process that ended is counted by its parent from then on; should that
 * be none of the task's, what was last seen of it stays counted.
 */
export const createMeter = () => {
  const measured: Measured = { cpuSeconds: 0, peakMemoryMb: 0, bytesWritten: 0 }
  let looks = 0
  return {
    measured: (): Measured => ({ ...measured }),
    /** Answers the memory in use, in megabytes. `last`: what was written is looked at for sure. */
    see(rows: ProcessRow[], last = false): number {
      const memoryMb = sum(rows.map((row) => row.memoryBytes)) / megabyte
      measured.cpuSeconds = Math.max(measured.cpuSeconds, sum(rows.map((row) => row.cpuSeconds)))
      measured.peakMemoryMb = Math.max(measured.peakMemoryMb, Math.round(memoryMb))
      if (last || looks++ % writtenEvery === 0)
        measured.bytesWritten = Math.max(measured.bytesWritten, sum(rows.map(({ pid }) => bytesWritten(pid))))
      return memoryMb
    },
  }
}
