import { Worker } from 'node:worker_threads'
import type { Limits } from './jsonata-functions.ts'
import type { WorkerAnswer, WorkerRequest } from './jsonata-request.ts'

const limits: Limits = { timeout: 1000, stack: 500, sequence: 1_000_000 }
/** What does not end by its own limits, such as one long match of a pattern, ends with the thread. */
const hardMs = 2000
/** A new thread may take so long to begin on a busy machine. */
const startMs = 5000
const mostCharacters = 1024 * 1024
const resourceLimits = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 }

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

/**
 * Evaluates one expression after the other in a thread of its own, with bounded time, depth and memory. Tenants take turns:
 * nobody waits for all that another one has.
 */
export const createJsonataThread = () => {
  const waiting = createTurns<Pending>()
  let worker: Worker | undefined
  let current: (Pending & { timer: NodeJS.Timeout }) | undefined
  let closed = false

  const settle = (answer: WorkerAnswer): void => {
    if (current === undefined) return
    clearTimeout(current.timer)
    current.resolve(answer)
    current = undefined
    next()
  }
  /** The thread is lost with what it was about. */
  const lose = (lost: Worker, reason: string): void => {
    if (worker !== lost) return
    worker = undefined
    void lost.terminate()
    settle({ reason })
  }
  const start = (): Worker => {
    const started = new Worker(new URL('./jsonata-worker.ts', import.meta.url), { resourceLimits })
    /** What a thread still says at its end is about none of the expressions after it. */
    started.on('message', (answer: WorkerAnswer) => worker === started && settle(answer))
    started.on('error', (error: Error & { code?: string }) => {
      const isFull = error.code === 'ERR_WORKER_OUT_OF_MEMORY'
      lose(started, isFull ? 'the expression took too much memory' : error.message)
    })
    started.on('exit', () => lose(started, 'the expression ended its thread'))
    started.unref()
    return started
  }
  const next = (): void => {
    const first = closed ? undefined : waiting.next()
    if (first === undefined) return void worker?.unref()
    const isNew = worker === undefined
    const used = worker ?? start()
    worker = used
    used.ref()
    const timer = setTimeout(
      () => lose(used, `the expression took longer than ${hardMs} ms`),
      hardMs + (isNew ? startMs : 0),
    )
    current = { ...first, timer }
    used.postMessage(first.request)
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
      const last = worker
      if (last) lose(last, 'the platform is closed')
      await last?.terminate()
    },
  }
}

export type JsonataThread = ReturnType<typeof createJsonataThread>
