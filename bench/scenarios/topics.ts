import { setTimeout as sleep } from 'node:timers/promises'
import type { QueueResponse } from '#shared/contracts/queues.ts'
import { ask } from '../api.ts'
import { atMost, ms } from '../row.ts'
import type { Scenario } from './scenario.ts'

const subscribers = 1000
const width = 20

/** One message to a thousand subscribers, until the last of them has it. */
export const topics: Scenario = async ({ product }) => {
  const pattern = { type: ['build.finished'], data: { ok: [true], seconds: [{ numeric: ['>', 10] }] } }
  const subscribe = async (name: string): Promise<void> => {
    await ask(product, 'POST', '/queues', { name })
    await ask(product, 'POST', '/subscriptions', { topic: 'builds', pattern, target: { queue: name } })
  }
  for (let made = 0; made < subscribers; made += width)
    await Promise.all(Array.from({ length: width }, (_, at) => subscribe(`topics-${made + at}`)))
  const waitingIn = async (at: number): Promise<number> =>
    (await ask<QueueResponse>(product, 'GET', `/queues/topics-${at}`)).depth?.waiting ?? 0
  const began = performance.now()
  await ask(product, 'POST', '/messages', {
    to: { topic: 'builds' },
    type: 'build.finished',
    data: { ok: true, seconds: 90 },
  })
  const accepted = performance.now() - began
  for (let at = 0; at < subscribers; ) {
    if ((await waitingIn(at)) > 0) at++
    else await sleep(10)
  }
  const took = performance.now() - began
  return [
    atMost('publish to 1,000 subscribers, accepted', accepted, 50, ms(accepted), { unit: ' ms' }),
    atMost('publish to 1,000 subscribers, the last one has it', took / 1000, 2, ms(took), { unit: ' s' }),
  ]
}
