import { randomUUID } from 'node:crypto'
import type { Invocation } from './http-server.ts'
import { createSlot, type SlotOptions } from './slot.ts'
import type { FromSlot } from './slot-messages.ts'

const timeoutSeconds = 900

/** Runs a handler in a slot of its own for `POST /invocations`; there is no task, so nothing is recorded. */
export const createInvocation =
  (options: SlotOptions): Invocation =>
  async ({ capability, input }) => {
    const slot = await createSlot(options)
    const deadline = new Date(Date.now() + timeoutSeconds * 1000).toISOString()
    const task = {
      id: randomUUID(),
      fence: 'none',
      attempt: 1,
      capability,
      deadline,
      timeoutSeconds,
      traceparent: null,
      input,
      checkpoint: null,
    }
    const timer = setTimeout(() => slot.kill(), timeoutSeconds * 1000)
    try {
      return await new Promise((resolve) => {
        slot.onMessage((message: FromSlot) => {
          if (message.type === 'done') resolve({ status: 200, body: message.result ?? null })
          if (message.type === 'failed') resolve({ status: 422, body: { error: message.message, code: message.code } })
          if (message.type === 'call')
            slot.send(
              message.name === 'checkpoint'
                ? { type: 'answer', id: message.id, value: null }
                : { type: 'answer', id: message.id, error: `${message.name} is only there for tasks of the platform` },
            )
        })
        void slot.ended.then(({ code, signal }) =>
          resolve({ status: 500, body: { error: `the process ended: ${signal ?? code}` } }),
        )
        slot.send({ type: 'run', task })
      })
    } finally {
      clearTimeout(timer)
      await slot.dispose()
    }
  }
