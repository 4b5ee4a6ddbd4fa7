import type { Slot, SlotEnd } from '#agent/runner/slot.ts'
import type { FromSlot, ToSlot } from '#agent/runner/slot-messages.ts'

/** A slot without a process: the test says what its handler says. */
export const aFakeSlot = (workspace = '/nowhere') => {
  const { promise: ended, resolve } = Promise.withResolvers<SlotEnd>()
  const told: ToSlot[] = []
  let listener: (message: FromSlot) => void = () => undefined
  const end = () => resolve({ code: null, signal: 'SIGKILL', stderr: '' })
  const slot: Slot = {
    workspace,
    ended,
    measured: () => ({ cpuSeconds: 0.5, peakMemoryMb: 60, bytesWritten: 0 }),
    send: (message) => void told.push(message),
    onMessage: (given) => {
      listener = given
    },
    onText: () => undefined,
    kill: end,
    dispose: async () => end(),
  }
  return { slot, told, say: (message: FromSlot) => listener(message) }
}
