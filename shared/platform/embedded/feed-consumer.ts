import type { Change, Clock, Telemetry } from '../platform.ts'
import { createFeedLines, type Numbered } from './feed-lines.ts'

const batchSize = 500
const saveEveryMs = 500
const idleMs = 60_000
/**
 * After a batch it rests, the longer the larger that was: what comes under load is handed out together, and derived
 * records are written once; what comes alone is handed out at once, for the next step of a run waits for it.
 */
const rest = { leastMs: 1, mostMs: 100, msEach: 0.5 }
const restAfter = (handed: number): number => Math.min(rest.mostMs, Math.max(rest.leastMs, handed * rest.msEach))
const afterErrorMs = 500
/** So many changes may wait behind failed ones; then the feed reads no further until some are done. */
const maxHeld = 10_000
/** One in so many failures of the same changes is logged. */
const logEvery = 20

/** The next changes that the consumer wants; `upTo` is the number of the last one looked at, and there may be more. */
export type Batch = { changes: Numbered[]; more: boolean; upTo?: number }

type Consumer = {
  consumer: string
  handle: (batch: Change[]) => Promise<string[]>
  /** Everything up to here was handled before. */
  seq: number
  /** The changes after a number, in order; of so many at most. */
  read: (after: number, limit: number) => Batch
  /** Keeps how far the consumer is. */
  save: (upTo: number) => Promise<unknown>
  clock: Clock
  telemetry: Telemetry
}

/** Reads, hands out, holds back and tries again, until it is stopped. */
export const startConsumer = (options: Consumer) => {
  const { consumer, handle, clock, telemetry } = options
  const lines = createFeedLines()
  const stopping = new AbortController()
  let seq = options.seq
  let saved = seq
  let saveAt = clock.now() + saveEveryMs
  let woken = false
  let wakeUp = (): void => undefined

  /** Everything up to here is done. */
  const done = (): number => Math.min(seq, lines.firstSeq() - 1)
  const save = async (): Promise<void> => {
    saveAt = clock.now() + saveEveryMs
    const upTo = done()
    if (upTo === saved) return
    await options.save(upTo)
    saved = upTo
  }
  /** Hands changes out and keeps what failed; `failures` is how often they failed before. */
  const deliver = async (numbered: Numbered[], failures: number): Promise<void> => {
    const changes = numbered.map(({ change }) => change)
    const failed = await handle(changes).catch((error: unknown) => {
      if (failures % logEvery === 0) telemetry.log('error', 'a consumer of the change feed failed', { consumer, error })
      return changes.map(({ id }) => id)
    })
    if (failed.length > 0) lines.hold(numbered, new Set(failed), failures, clock.now())
  }
  const readOn = async (): Promise<{ more: boolean; handed: number }> => {
    if (lines.count() >= maxHeld) return { more: false, handed: 0 }
    const { changes, more, upTo = seq } = options.read(seq, batchSize)
    const ready = lines.sort(changes)
    if (ready.length > 0) await deliver(ready, 0)
    seq = upTo
    return { more, handed: ready.length }
  }
  /** Key by key, so that one bad change cannot make the others fail with it. */
  const retry = async (): Promise<void> => {
    for (const { changes, failures } of lines.takeDue(clock.now()))
      if (stopping.signal.aborted) lines.hold(changes, new Set([changes[0]?.change.id ?? '']), failures, clock.now())
      else await deliver(changes, failures)
  }
  const pause = async (ms: number): Promise<void> => {
    const waking = new AbortController()
    wakeUp = () => waking.abort('woken') // without a reason an exception is made, which costs more than the pause
    if (!woken && !stopping.signal.aborted && ms > 0) await clock.sleep(ms, waking.signal).catch(() => undefined)
  }
  const untilNext = (): number => {
    const now = clock.now()
    const unsaved = done() === saved ? Infinity : saveAt - now
    return Math.min(idleMs, lines.nextDueAt() - now, unsaved)
  }
  const round = async (): Promise<void> => {
    woken = false
    const { more, handed } = await readOn()
    await retry()
    if (clock.now() >= saveAt) await save()
    if (more) return
    if (handed > 0) await clock.sleep(restAfter(handed), stopping.signal).catch(() => undefined)
    await pause(untilNext())
  }
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted)
      try {
        await round()
      } catch (error) {
        telemetry.log('error', 'the change feed could not go on, and tries again', { consumer, error })
        await clock.sleep(afterErrorMs, stopping.signal).catch(() => undefined)
      }
    await save().catch(() => undefined) // what is not saved comes again
  }
  const ended = loop()
  return {
    wake(): void {
      woken = true
      wakeUp()
    },
    async stop(): Promise<void> {
      stopping.abort()
      wakeUp()
      await ended
    },
  }
}
