/** A slot: a process for one task. It has no credential; what it needs of the platform it asks of the runner. */
import { loadAgent } from './load-agent.ts'
import { runHandler } from './run-handler.ts'
import { createSlotContext } from './slot-context.ts'
import type { FromSlot, SlotTask, ToSlot } from './slot-messages.ts'

const send = (message: FromSlot): Promise<void> =>
  new Promise((resolve) => {
    if (process.send === undefined || !process.connected) return resolve()
    process.send(message, undefined, undefined, () => resolve())
  })

/** The runner is gone: nothing that this slot started may outlive it. */
process.on('disconnect', () => {
  process.kill(-process.pid, 'SIGKILL')
})

const agent = await loadAgent(process.argv[2] ?? '')
const context = createSlotContext(send)

const run = async (task: SlotTask): Promise<void> => {
  const outcome = await runHandler(agent, context, task)
  await send(outcome)
  process.exitCode = 0
}

process.on('message', (message: ToSlot) => {
  if (message.type === 'run') void run(message.task)
  else context.receive(message)
})
await send({ type: 'ready' })
