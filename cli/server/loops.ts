import { deliver } from '#functions/deliver/deliver.ts'
import { project, projectedTypes } from '#functions/stream/project.ts'
import { attend, sweep } from '#functions/sweep/sweep.ts'
import { dueQueue } from '#shared/domain/dispatch/due.ts'
import { createTeller } from '#shared/domain/realtime/teller.ts'
import { deliveryQueue } from '#shared/domain/webhooks/send-delivery.ts'
import type { Platform, Stoppable } from '#shared/platform/platform.ts'
import { createQueueLoop } from './queue-loop.ts'
import { createUnderWay } from './under-way.ts'

const sweepEveryMs = 1000
/** A sweep that takes longer, such as by the pass of a batch, holds up no other reminders: another one begins. */
const sweepPatienceMs = 5000
const mostSweeps = 4
const pauseAfterErrorMs = 500

/** What AWS starts by triggers runs here as loops: the projector, the due queue, deliveries, the sweep. */
export const startLoops = (platform: Platform): Stoppable => {
  const stopping = new AbortController()
  const teller = createTeller(platform)
  let told: Promise<void> = Promise.resolve()
  const projector = platform.feed.consume(
    'projector',
    (changes) => {
      told = teller.note(changes) // nothing waits for who watches
      return project(platform, changes)
    },
    { types: projectedTypes },
  )
  const queues = [
    createQueueLoop(platform, { queue: dueQueue, most: 200, attend }),
    createQueueLoop(platform, { queue: deliveryQueue, most: 100, attend: deliver, graceMs: 500 }),
  ]
  const sweeps = createUnderWay(platform, mostSweeps)
  const rounds: Round[] = [...queues.map(({ round }) => round), sweepInto(platform, sweeps)]
  const loops = rounds.map((round) => untilStopped(platform, stopping.signal, round))
  return {
    async stop() {
      stopping.abort()
      await Promise.all([projector.stop(), ...loops])
      await Promise.all([...queues.map((queue) => queue.stop()), sweeps.end()])
      await told
    },
  }
}

type Round = (signal: AbortSignal) => Promise<void>

const untilStopped = async (platform: Platform, signal: AbortSignal, round: Round): Promise<void> => {
  while (!signal.aborted)
    try {
      await round(signal)
    } catch (error) {
      if (signal.aborted) return
      platform.telemetry.log('error', 'a background round failed', { error: String(error) })
      await platform.clock.sleep(pauseAfterErrorMs)
    }
}

const sweepInto =
  (platform: Platform, sweeps: ReturnType<typeof createUnderWay>): Round =>
  async (signal) => {
    await sweeps.room()
    const work = sweep(platform).then(() => undefined)
    sweeps.begin('a sweep failed', work)
    const pause = (ms: number) => platform.clock.sleep(ms, signal).catch(() => undefined)
    await Promise.race([work.catch(() => undefined), pause(sweepPatienceMs)])
    await pause(sweepEveryMs)
  }
