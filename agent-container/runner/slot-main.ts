/** A slot: a process for one task. It has no credential; what it needs of the platform it asks of the runner. */
import { asJson, requireJson } from './json.ts'
import { loadAgent } from './load-agent.ts'
import { runHandler, toFailure } from './run-handler.ts'
import { createSlotContext } from './slot-context.ts'
import type { FromSlot, SlotTask, ToSlot } from './slot-messages.ts'

const nameOf = (message: FromSlot): string => {
  if (message.type === 'done') return 'result'
  return message.type === 'call' ? message.name : message.type
}

/** What a handler says that others go on with. */
const saidIn = (message: FromSlot): unknown => {
  if (message.type === 'done') return message.result
  if (message.type === 'output') return message.chunk
  return message.type === 'call' ? message.argument : undefined
}

/** Throws, and does not reject, what JSON cannot say: to the handler that said it. */
const send = (message: FromSlot): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const say = () => {
    requireJson(saidIn(message))
    process.send?.(message, undefined, undefined, () => resolve())
  }
  if (process.connected) asJson(nameOf(message), say)
  else resolve()
  return promise
}

/** The runner is gone: nothing that this slot started may outlive it. */
process.on('disconnect', () => {
  process.kill(-process.pid, 'SIGKILL')
})

const agent = await loadAgent(process.argv[2] ?? '')
const context = createSlotContext(send)

const run = async (task: SlotTask): Promise<void> => {
  const outcome = await runHandler(agent, context, task)
  try {
    await send(outcome)
  } catch (error) {
    await send(toFailure(error))
  }
  process.exitCode = 0
}

process.on('message', (message: ToSlot) => {
  if (message.type === 'run') void run(message.task)
  else context.receive(message)
})
await send({ type: 'ready' })
