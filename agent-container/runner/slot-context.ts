import { join } from 'node:path'
import type { AgentContext } from '../sdk/index.ts'
import { createCall } from './slot-call.ts'
import { createMail } from './slot-mail.ts'
import type { FromSlot, SlotCalls, SlotTask, ToSlot } from './slot-messages.ts'
import { createPeople } from './slot-people.ts'
import { createState } from './slot-state.ts'

/** Throws what cannot be said as JSON. */
type Send = (message: FromSlot) => Promise<void>

/** So many chunks may be under way before a generator is held until the runner has passed some on. */
const maxUnflushed = 500

export type SlotContext = {
  receive(message: ToSlot): void
  /** The context that the handler of a task is given. */
  forTask(task: SlotTask): AgentContext
  /** Resolves when more output may be produced. */
  outputRoom(): Promise<void>
}

/** The handler's side of the conversation with the runner. */
export const createSlotContext = (send: Send): SlotContext => {
  const aborting = new AbortController()
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  let lastCall = 0
  let unflushed = 0
  let roomMade: () => void = () => undefined

  const call = <N extends keyof SlotCalls>(
    name: N,
    argument: SlotCalls[N]['argument'],
  ): Promise<SlotCalls[N]['answer']> =>
    new Promise((resolve, reject) => {
      const id = ++lastCall
      void send({ type: 'call', id, name, argument })
      waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
    })
  const tell = (message: FromSlot): void => void send(message)

  const objects: AgentContext['objects'] = {
    fetch: (ref) => call('fetch', ref),
    put(body, options = {}) {
      if (typeof body === 'object' && 'file' in body)
        return call('put', { ...options, file: join(process.cwd(), body.file) })
      return call('put', { ...options, base64: Buffer.from(body as string | Uint8Array).toString('base64') })
    },
  }

  return {
    receive(message) {
      if (message.type === 'abort') aborting.abort(new Error(message.reason))
      if (message.type === 'flushed') {
        unflushed -= message.count
        roomMade()
      }
      if (message.type !== 'answer') return
      const asked = waiting.get(message.id)
      waiting.delete(message.id)
      if (message.error === undefined) asked?.resolve(message.value)
      else asked?.reject(new Error(message.error))
    },
    async outputRoom() {
      while (unflushed > maxUnflushed && !aborting.signal.aborted)
        await new Promise<void>((resolve) => {
          roomMade = resolve
          aborting.signal.addEventListener('abort', () => resolve(), { once: true })
        })
    },
    forTask(task) {
      const people = createPeople(task, {
        wait: (request) => call('wait', request),
        inputs: (after) => call('inputs', after),
      })
      return {
        task: {
          id: task.id,
          fence: task.fence,
          attempt: task.attempt,
          capability: task.capability ?? '',
          deadline: task.deadline,
          timeoutSeconds: task.timeoutSeconds,
          ...(task.traceparent && { traceparent: task.traceparent }),
          ...(task.workflowRun !== undefined && { workflowRun: task.workflowRun }),
        },
        signal: aborting.signal,
        workspace: process.cwd(),
        lastCheckpoint: people.lastCheckpoint,
        progress: (percent, message) =>
          tell({ type: 'progress', percent: Math.max(0, Math.min(100, percent)), message }),
        output(chunk) {
          tell({ type: 'output', chunk })
          unflushed++
        },
        checkpoint: async (value) => void (await call('checkpoint', people.seal(value))),
        requestInput: people.requestInput,
        approve: people.approve,
        inputs: people.inputs,
        log: (level, message, fields) => tell({ type: 'log', level, message, fields }),
        metric: (name, value, unit, labels) => tell({ type: 'metric', name, value, unit, labels }),
        async span(name, work) {
          const began = performance.now()
          try {
            return await work()
          } finally {
            tell({ type: 'log', level: 'debug', message: name, fields: { ms: Math.round(performance.now() - began) } })
          }
        },
        usage: (used) => tell({ type: 'usage', used }),
        ...createMail(task, call),
        state: createState(task.workflowRun, call),
        call: createCall((argument) => call('call', argument), aborting.signal),
        objects,
      }
    },
  }
}
