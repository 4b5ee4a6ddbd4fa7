import { project } from '#functions/stream/project.ts'
import { attend, sweep } from '#functions/sweep/sweep.ts'
import { dueQueue } from '#shared/domain/dispatch/due.ts'
import type { Platform } from '#shared/platform/platform.ts'
import type { Ports } from './process.ts'
import type { World } from './world.ts'

const pauseAfterErrorMs = 500

/** Round after round; one that fails is followed by a pause. */
const forever = async ({ clock }: Platform, round: () => Promise<void>): Promise<void> => {
  for (;;)
    try {
      await round()
    } catch {
      await clock.sleep(pauseAfterErrorMs)
    }
}

/** Hands the feed's changes to the projector, batch by batch. */
export const projectLoop =
  ({ feed }: World) =>
  ({ platform }: Ports): void =>
    void forever(platform, async () => {
      if (feed.pending() === 0) await feed.something()
      await platform.clock.sleep(25)
      const { changes, from } = feed.next(20)
      const failed = await project(platform, changes)
      feed.done(from, changes.length, failed)
      if (failed.length > 0) await platform.clock.sleep(pauseAfterErrorMs)
    })

/** Looks at everything due, every so often. */
export const sweepLoop =
  (everyMs: number) =>
  ({ platform }: Ports): void =>
    void forever(platform, async () => {
      await platform.clock.sleep(everyMs)
      await sweep(platform)
    })

/** Does what reminders ask for. */
export const dueLoop =
  () =>
  ({ platform }: Ports): void =>
    void forever(platform, async () => {
      const received = await platform.queues.receive({ queues: [dueQueue], max: 10, waitSeconds: 20 })
      const failed = new Set(
        await attend(
          platform,
          received.map(({ body }) => body),
        ),
      )
      await platform.queues.delete(received.filter(({ body }) => !failed.has(body)))
    })
