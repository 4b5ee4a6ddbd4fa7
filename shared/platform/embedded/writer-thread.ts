import { Worker } from 'node:worker_threads'
import type { Key } from '../platform.ts'
import { PlatformError } from '../platform-error.ts'
import type { Answers, RawItem, TableName, WriterAnswer, WriterReply, WriterRequest } from './sqlite-messages.ts'
import { toCells } from './sqlite-wire.ts'

type Pending = {
  request: WriterRequest
  resolve: (value: unknown) => void
  reject: (error: Error) => void
  /** Whoever waits until it is answered, also when it fails. */
  afterwards?: (() => void)[]
}
/** Called after each commit, before it is acknowledged, with each key that it may have changed and what was put there. */
export type CommitListener = (table: TableName, key: Key, item?: RawItem) => void
/** Called with all that goes to the writer at once; the times before are over by then. */
export type PostListener = (requests: readonly WriterRequest[]) => void

export type WriterThread = {
  /** Resolves after the commit that holds it was flushed. */
  send<R extends WriterRequest>(request: R): Promise<Answers[R['kind']]>
  onCommit(listener: CommitListener): void
  /** From then on until the commit is told readers of the file may see what is written, or not yet. */
  onPost(listener: PostListener): void
  /** Resolves when all that was sent until now is answered, also when it failed; `undefined`: there is nothing. */
  written(): Promise<void> | undefined
  /** The newest change whose commit every listener was told of: nobody reads further, or it would see what they do not. */
  lastChange(): number
  close(): Promise<void>
}

/**
 * Starts the writer thread. While it flushes, requests gather here and go to it as one message with its answer: each
 * message costs both threads as much as several requests do, and more of them share a flush.
 */
export const startWriter = async (file: string): Promise<WriterThread> => {
  const worker = new Worker(new URL('./sqlite-writer.ts', import.meta.url), { workerData: { file } })
  const listeners: CommitListener[] = []
  const postListeners: PostListener[] = []
  const unanswered: Pending[] = []
  let outgoing: WriterRequest[] = []
  let isBusy = false
  let failure: PlatformError | undefined
  let lastChange = 0

  const failAll = (error: PlatformError): void => {
    failure = error
    for (const { reject, afterwards = [] } of unanswered.splice(0)) {
      reject(error)
      for (const go of afterwards) go()
    }
  }
  const post = (): void => {
    if (isBusy) return
    for (const listener of postListeners) listener(outgoing)
    if (outgoing.length === 0) return
    isBusy = true
    worker.postMessage(toCells(outgoing))
    outgoing = []
  }
  const tell: CommitListener = (table, key, item) => {
    for (const listener of listeners) listener(table, key, item)
  }
  const receive = ({ answers, lastChange: last }: WriterReply): void => {
    lastChange = last
    isBusy = false
    post()
    const settled = unanswered.splice(0, answers.length)
    for (const [at, { request }] of settled.entries()) tellOf(request, answers[at] ?? null, tell)
    for (const [at, pending] of settled.entries()) settle(pending, answers[at] ?? null)
  }
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))

  await new Promise<void>((resolve, reject) => {
    worker.once('message', (last: number) => {
      lastChange = last
      resolve()
    })
    worker.once('error', (error) => void exited.then(() => reject(error))) // its files are closed by then
  })
  worker.on('message', receive)
  worker.on('error', (cause: Error) =>
    failAll(new PlatformError('UNAVAILABLE', `the writer thread died: ${cause.message}`, { cause })),
  )
  worker.on('exit', () => failAll(failure ?? new PlatformError('UNAVAILABLE', 'the storage is closed')))

  return {
    send: <R extends WriterRequest>(request: R) =>
      new Promise<Answers[R['kind']]>((resolve, reject) => {
        if (failure) return reject(failure)
        unanswered.push({ request, resolve: resolve as Pending['resolve'], reject })
        if (outgoing.push(request) === 1 && !isBusy) setImmediate(post) // what this turn asks for shares a commit
      }),
    onCommit: (listener) => void listeners.push(listener),
    onPost: (listener) => void postListeners.push(listener),
    written() {
      const last = unanswered.at(-1)
      if (last === undefined) return undefined
      return new Promise<void>((resolve) => {
        last.afterwards = [...(last.afterwards ?? []), resolve]
      })
    },
    lastChange: () => lastChange,
    async close() {
      isBusy = false // what has gathered goes before the end
      post()
      worker.postMessage('close')
      await exited
    },
  }
}

const tellOf = (request: WriterRequest, answer: WriterAnswer | null, tell: CommitListener): void => {
  if (answer && 'refusal' in answer) return
  if (request.kind === 'add' && answer?.value !== undefined) tell(request.table, request.add.key)
  if (request.kind === 'write' && answer === null)
    for (const write of request.writes)
      if (write.op === 'put') tell(request.table, write.item, write.item)
      else if (write.op !== 'check') tell(request.table, write.key)
}

const settle = ({ resolve, reject, afterwards = [] }: Pending, answer: WriterAnswer | null): void => {
  if (answer === null) resolve(undefined)
  else if ('value' in answer) resolve(answer.value)
  else reject(new PlatformError(answer.refusal.code, answer.refusal.message))
  for (const go of afterwards) go()
}
