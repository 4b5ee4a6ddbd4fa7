import { createSlot, type Slot, type SlotOptions } from './slot.ts'

const spareMs = 60_000

/**
 * Hands out fresh processes, one a task. After the first one it keeps a spare that has the agent loaded already, so
 * that the next task starts at once; a spare that is not needed for a minute is ended.
 */
export const createSlotPool = (options: SlotOptions) => {
  let spare: Promise<Slot> | undefined
  let timer: NodeJS.Timeout | undefined
  let closed = false

  const drop = async (): Promise<void> => {
    clearTimeout(timer)
    const unused = spare
    spare = undefined
    await unused?.then((slot) => slot.dispose()).catch(() => undefined)
  }
  const keepSpare = (): void => {
    if (closed || spare !== undefined) return
    spare = createSlot(options)
    spare.catch(() => undefined)
    timer = setTimeout(() => void drop(), spareMs)
    timer.unref()
  }
  return {
    async take(): Promise<Slot> {
      const slot = spare ?? createSlot(options)
      clearTimeout(timer)
      spare = undefined
      setTimeout(keepSpare, 200).unref()
      return slot
    },
    async close() {
      closed = true
      await drop()
    },
  }
}
