import { Refusal, sendUntilAnswered } from './platform-client.ts'
import type { Measured } from './resources/meter.ts'
import type { Sender } from './task-source.ts'

/** No longer: the slot is wanted for the next task. */
const patienceMs = 10_000

/** Whether a refusal says that the platform has ended the attempt. */
export const isStale = (error: unknown): boolean => error instanceof Refusal && error.code === 'STALE_FENCE'

/** Tells what an attempt used that the platform has ended already. It is worth no more than a while: nothing is thrown. */
export const tellMeasured = async (
  source: Sender,
  { taskId, fence, measured }: { taskId: string; fence: string; measured: Measured },
): Promise<void> => {
  const path = `/tasks/${taskId}/attempts/${encodeURIComponent(fence)}/usage`
  const signal = AbortSignal.timeout(patienceMs)
  await sendUntilAnswered(source, { method: 'PUT', path, body: measured, signal }).catch(() => undefined)
}
