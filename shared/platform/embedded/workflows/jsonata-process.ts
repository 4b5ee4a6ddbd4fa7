import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Limits } from './jsonata-functions.ts'
import { mostMs, tooLongCode, type WorkerAnswer, type WorkerRequest } from './jsonata-request.ts'

const limits: Limits = { timeout: 1000, stack: 500, sequence: 1_000_000 }
const mostCharacters = 1024 * 1024
const main = fileURLToPath(new URL('./jsonata-main.ts', import.meta.url))
const execArgv = ['--max-old-space-size=192']

type Pending = { request: WorkerRequest; resolve: (answer: WorkerAnswer) => void }

/** What waits of each of many, who have their turns one after the other. */
const createTurns = <T>() => {
  const all = new Map<string, T[]>()
  return {
    add(whose: string, one: T): void {
      const before = all.get(whose)
      if (before) before.push(one)
      else all.set(whose, [one])
    },
    /** The oldest of whoever had no turn for longest. */
    next(): T | undefined {
      const [first] = all
      if (first === undefined) return undefined
      const [whose, queue] = first
      const one = queue.shift()
      all.delete(whose)
      if (queue.length > 0) all.set(whose, queue)
      return one
    },
    clear(): T[] {
      const left = [...all.values()].flat()
      all.clear()
      return left
    },
  }
}

/** One that waits for nothing does not keep its parent from ending. */
const hold = (child: ChildProcess, isNeeded: boolean): void => {
  for (const one of [child, child.channel]) one?.[isNeeded ? 'ref' : 'unref']()
}

const reasonOfExit = (code: number | null): string =>
  code === tooLongCode ? `the expression took longer than ${mostMs} ms` : 'the expression took too much memory'

/**
 * Evaluates one expression after the other in a process of its own, with bounded time, depth and memory: V8 ends a whole
 * process that runs out of memory in one piece, whatever the limits of a thread in it. Tenants take turns: nobody waits for
 * all that another one has. Time is that of the processor; a process that does not get any is given up after `patienceMs`.
 */
export const createJsonataProcess = ({ patienceMs = 60_000 }: { patienceMs?: number } = {}) => {
  const waiting = createTurns<Pending>()
  let child: ChildProcess | undefined
  let current: (Pending & { timer: NodeJS.Timeout }) | undefined
  let closed = false

  const settle = (answer: WorkerAnswer): void => {
    if (current === undefined) return
    clearTimeout(current.timer)
    current.resolve(answer)
    current = undefined
    next()
  }
  /** The process is lost with what it was about. */
  const lose = (lost: ChildProcess, reason: string): void => {
    if (child !== lost) return
    child = undefined
    lost.kill('SIGKILL')
    settle({ reason })
  }
  const start = (): ChildProcess => {
    const started = fork(main, {
      execArgv,
      env: {},
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    started.on('message', (answer: WorkerAnswer) => {
      if (child === started) settle(answer) // what a process still says at its end is about none of the expressions after it
    })
    started.on('error', (error) => lose(started, error.message))
    started.on('exit', (code) => lose(started, reasonOfExit(code)))
    hold(started, false)
    return started
  }
  const next = (): void => {
    const first = closed ? undefined : waiting.next()
    if (first === undefined) return void (child && hold(child, false))
    const used = child ?? start()
    child = used
    hold(used, true)
    const timer = setTimeout(() => lose(used, `the expression was not done after ${patienceMs} ms`), patienceMs)
    current = { ...first, timer }
    used.send(first.request, (error) => error && lose(used, error.message))
  }

  return {
    evaluate: (source: string, bindings: Record<string, unknown>, tenant: string): Promise<WorkerAnswer> =>
      new Promise((resolve) => {
        waiting.add(tenant, { request: { source, bindings, limits, mostCharacters }, resolve })
        if (current === undefined) next()
      }),
    async close(): Promise<void> {
      closed = true
      for (const { resolve } of waiting.clear()) resolve({ reason: 'the platform is closed' })
      const last = child
      const ended = last && once(last, 'exit')
      if (last) lose(last, 'the platform is closed')
      await ended
    },
  }
}

export type JsonataProcess = ReturnType<typeof createJsonataProcess>
