import type { LeasedTask } from '#shared/contracts/worker.ts'
import { sendUntilAnswered } from './platform-client.ts'
import type { Session } from './session.ts'
import type { Slot } from './slot.ts'
import { runTask } from './task-run.ts'
import type { TaskSource } from './task-source.ts'

type Held = { taskId: string; fence: string }
/** `over`: the platform said that it has ended here, and need not hear of it again while its process is being ended. */
type Live = Held & { stop: AbortController; over?: boolean; ended: Promise<void> }

type Options = {
  agent: string
  source: TaskSource
  takeSlot: () => Promise<Slot>
  mask: (value: unknown) => unknown
  onContact: () => void
  log: (level: 'info' | 'warn' | 'error', message: string, fields?: Record<string, unknown>) => void
}

/** The tasks that run here, from their lease to the end of their process: one run a task. */
export const createTaskRuns = ({ agent, source, takeSlot, mask, onContact, log }: Options) => {
  const live = new Map<string, Live>()

  const unstarted = async (task: LeasedTask, session: Session, error: unknown, signal: AbortSignal): Promise<void> => {
    const message = `no process could be started for the task: ${error instanceof Error ? error.message : String(error)}`
    log('error', message, { task: task.taskId })
    const body = { fence: task.fence, code: 'AGENT_ERROR', message, retryable: true }
    await sendUntilAnswered(session, { method: 'POST', path: `/tasks/${task.taskId}/fail`, body, signal })
  }
  const carryOut = async (one: Live, task: LeasedTask, session: Session): Promise<void> => {
    const { signal } = one.stop
    const slot = await takeSlot().catch((error: unknown) => unstarted(task, session, error, signal))
    if (slot === undefined) return
    if (signal.aborted) return slot.dispose()
    const run = runTask({ task, agent, slot, source: session, mask, onContact })
    signal.addEventListener('abort', () => run.abort(String(signal.reason), one.over), { once: true })
    await run.ended
  }
  const carryThrough = async (one: Live, task: LeasedTask, session: Session, before?: Live): Promise<void> => {
    try {
      await before?.ended
      if (!one.stop.signal.aborted) await carryOut(one, task, session)
    } catch (error) {
      log('warn', 'a run ended with an error', { task: task.taskId, error: String(error) })
    }
    if (live.get(task.taskId) !== one) return
    live.delete(task.taskId)
    await source.over(task.taskId).catch(() => undefined)
  }
  const end = (one: Live, reason: string): void => {
    one.over = true
    one.stop.abort(reason)
  }

  return {
    /** Resolves when the run has ended; `undefined` where the task runs under this fence already. */
    start(task: LeasedTask, session: Session): Promise<void> | undefined {
      const { taskId, fence } = task
      const before = live.get(taskId)
      if (before?.fence === fence) return undefined
      if (before) end(before, 'the task is leased anew')
      const one: Live = { taskId, fence, stop: new AbortController(), ended: Promise.resolve() }
      live.set(taskId, one)
      one.ended = carryThrough(one, task, session, before)
      return one.ended
    },
    /** What runs for the platform: not what it has ended, whose process may live a little longer. */
    held: (): Held[] => [...live.values()].filter(({ over }) => !over).map(({ taskId, fence }) => ({ taskId, fence })),
    /** Ends what is over for the platform. Nothing happens where a newer lease of the task runs. */
    abort({ taskId, fence }: Held, reason: string): void {
      const one = live.get(taskId)
      if (one?.fence === fence) end(one, reason)
    },
    abortAll(reason: string): void {
      for (const { stop } of live.values()) stop.abort(reason)
    },
    count: () => live.size,
    async ended(): Promise<void> {
      await Promise.all([...live.values()].map((one) => one.ended))
    },
  }
}
