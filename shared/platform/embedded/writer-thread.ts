import { Worker } from 'node:worker_threads'
import { PlatformError } from '../platform-error.ts'
import type { WriterAnswer, WriterReply, WriterRequest } from './sqlite-messages.ts'

type Settle = { resolve: (answer: Extract<WriterAnswer, { ok: true }>) => void; reject: (error: Error) => void }
type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never

export type WriterThread = {
  /** Resolves after the commit that holds it was flushed. */
  send(request: WithoutId<WriterRequest>): Promise<Extract<WriterAnswer, { ok: true }>>
  onCommit(listener: (changed: WriterReply['changed']) => void): void
  close(): Promise<void>
}

/** Starts the writer thread; requests of one turn of the event loop go to it as one message. */
export const startWriter = async (file: string): Promise<WriterThread> => {
  const worker = new Worker(new URL('./sqlite-writer.ts', import.meta.url), { workerData: { file } })
  const pending = new Map<number, Settle>()
  const listeners: ((changed: WriterReply['changed']) => void)[] = []
  let batch: WriterRequest[] = []
  let lastId = 0
  let failure: Error | undefined

  const failAll = (error: Error): void => {
    failure = error
    for (const { reject } of pending.values()) reject(error)
    pending.clear()
  }
  const post = (): void => {
    if (batch.length > 0) worker.postMessage(batch)
    batch = []
  }
  const receive = ({ answers, changed }: WriterReply): void => {
    for (const listener of listeners) listener(changed)
    for (const answer of answers) {
      const waiting = pending.get(answer.id)
      pending.delete(answer.id)
      if (answer.ok) waiting?.resolve(answer)
      else waiting?.reject(new PlatformError('UNAVAILABLE', `the write was not stored: ${answer.error}`))
    }
  }

  await new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve())
    worker.once('error', reject)
  })
  worker.on('message', receive)
  worker.on('error', (error: Error) =>
    failAll(new PlatformError('UNAVAILABLE', 'the writer thread died', { cause: error })),
  )

  return {
    send(request) {
      if (failure) return Promise.reject(failure)
      return new Promise((resolve, reject) => {
        const id = ++lastId
        pending.set(id, { resolve, reject })
        if (batch.push({ ...request, id } as WriterRequest) === 1) queueMicrotask(post)
      })
    },
    onCommit: (listener) => void listeners.push(listener),
    async close() {
      post()
      const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
      worker.postMessage('close')
      await ended
      failAll(new PlatformError('UNAVAILABLE', 'the table is closed'))
    },
  }
}
