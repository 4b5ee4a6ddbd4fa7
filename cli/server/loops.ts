import { project, projectedTypes } from '#functions/stream/project.ts'
import { attend, sweep } from '#functions/sweep/sweep.ts'
import { dueQueue } from '#shared/domain/dispatch/due.ts'
import { createTeller } from '#shared/domain/realtime/teller.ts'
import type { Platform, Stoppable } from '#shared/platform/platform.ts'
import { createDeliveryLoop } from './delivery-loop.ts'

const sweepEveryMs = 1000
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
  const deliveries = createDeliveryLoop(platform)
  const deliverNext: Round = (_, signal) => deliveries.round(signal)
  const loops = [attendDueQueue, deliverNext, sweepRegularly].map((loop) =>
    untilStopped(platform, stopping.signal, loop),
  )
  return {
    async stop() {
      stopping.abort()
      await Promise.all([projector.stop(), ...loops])
      await deliveries.stop()
      await told
    },
  }
}

type Round = (platform: Platform, signal: AbortSignal) => Promise<void>

const untilStopped = async (platform: Platform, signal: AbortSignal, round: Round): Promise<void> => {
  while (!signal.aborted)
    try {
      await round(platform, signal)
    } catch (error) {
      if (signal.aborted) return
      platform.telemetry.log('error', 'a background round failed', { error: String(error) })
      await platform.clock.sleep(pauseAfterErrorMs)
    }
}

const attendDueQueue: Round = async (platform, signal) => {
  const received = await platform.queues.receive({ queues: [dueQueue], max: 200, waitSeconds: 20, signal })
  const failed = new Set(
    await attend(
      platform,
      received.map(({ body }) => body),
    ),
  )
  await platform.queues.delete(received.filter(({ body }) => !failed.has(body)))
}

const sweepRegularly: Round = async (platform, signal) => {
  await sweep(platform)
  await platform.clock.sleep(sweepEveryMs, signal).catch(() => undefined)
}
