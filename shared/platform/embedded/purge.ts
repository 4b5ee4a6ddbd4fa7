import type { Clock, Telemetry } from '../platform.ts'
import { referredToMs } from './sqlite-changes.ts'
import { purgeLimit } from './sqlite-requests.ts'
import type { WriterThread } from './writer-thread.ts'

const everyMs = 60_000
/** Promised are 24 h; for what is read until then, the change before it is still there. */
export const keepChangesMs = 24 * 3_600_000 + referredToMs

type Options = { writer: WriterThread; clock: Clock; telemetry: Telemetry }

/** Deletes what expired and the changes of more than a day ago, a little at a time. */
export const startPurging = ({ writer, clock, telemetry }: Options): { stop(): Promise<void> } => {
  const stopping = new AbortController()
  const purgeSome = (): Promise<number> => {
    const now = clock.now()
    return writer.send({ kind: 'purge', now, changesBefore: now - keepChangesMs })
  }
  const loop = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(everyMs, stopping.signal)
      while (!stopping.signal.aborted && (await purgeSome()) >= purgeLimit) await clock.sleep(0, stopping.signal)
    }
  }
  const keepGoing = async (): Promise<void> => {
    while (!stopping.signal.aborted)
      await loop().catch((error: unknown) => {
        if (!stopping.signal.aborted) telemetry.log('warn', 'what is over was not deleted', { error })
      })
  }
  const ended = keepGoing()
  return {
    stop() {
      stopping.abort()
      return ended
    },
  }
}
