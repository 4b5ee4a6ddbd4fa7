import { readdirSync, readFileSync } from 'node:fs'

/** Microseconds that threads of a process have had a processor: the first one, which serves; workers, which write; those of Node itself. */
export type ProcessorTime = { main: number; workers: number; helpers: number }

const read = (pid: number, thread: string, file: string): string => {
  try {
    return readFileSync(`/proc/${pid}/task/${thread}/${file}`, 'utf8').trim()
  } catch {
    return '' // it has ended meanwhile
  }
}

const partOf = (pid: number, thread: string): keyof ProcessorTime => {
  if (Number(thread) === pid) return 'main'
  return read(pid, thread, 'comm') === 'WorkerThread' ? 'workers' : 'helpers'
}

const threadsOf = (pid: number): string[] => {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return [] // only Linux has it
  }
}

/** What a process has used until now. */
export const processorTime = (pid: number): ProcessorTime => {
  const time: ProcessorTime = { main: 0, workers: 0, helpers: 0 }
  for (const thread of threadsOf(pid))
    time[partOf(pid, thread)] += Number(read(pid, thread, 'schedstat').split(' ')[0]) / 1000
  return time
}

export const total = ({ main, workers, helpers }: ProcessorTime): number => main + workers + helpers

/** Does the work, and tells what a process used meanwhile for each of so many operations. */
export const perOperation = async (
  pid: number,
  operations: number,
  work: () => Promise<unknown>,
): Promise<ProcessorTime> => {
  const before = processorTime(pid)
  await work()
  const after = processorTime(pid)
  const each = (part: keyof ProcessorTime): number => (after[part] - before[part]) / operations
  return { main: each('main'), workers: each('workers'), helpers: each('helpers') }
}

/** In words, for one operation. */
export const inWords = ({ main, workers, helpers }: ProcessorTime): string =>
  `${main.toFixed(0)} µs, writer ${workers.toFixed(0)} µs, Node's own threads ${helpers.toFixed(0)} µs`
