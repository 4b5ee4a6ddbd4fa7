import { setTimeout as sleep } from 'node:timers/promises'
import type { QueueResponse } from '#shared/contracts/queues.ts'
import { ask } from '../api.ts'
import { atMost, ms } from '../row.ts'
import type { Scenario } from './scenario.ts'

const subscribers = 1000
const width = 20

/** One message to a thousand subscribers, until the last of them has it. */
export const topics: Scenario = async ({ product }) => {
  await ask(product, 'POST', '/queues', { name: 'topics' })
  const pattern = { type: ['build.finished'], data: { ok: [true], seconds: [{ numeric: ['>', 10] }] } }
  const wish = { topic: 'builds', pattern, target: { queue: 'topics' } }
  for (let made = 0; made < subscribers; made += width)
    await Promise.all(Array.from({ length: width }, () => ask(product, 'POST', '/subscriptions', wish)))
  const began = performance.now()
  await ask(product, 'POST', '/messages', {
    to: { topic: 'builds' },
    type: 'build.finished',
    data: { ok: true, seconds: 90 },
  })
  const accepted = performance.now() - began
  for (let waiting = 0; waiting < subscribers; await sleep(100))
    waiting = (await ask<QueueResponse>(product, 'GET', '/queues/topics')).depth?.waiting ?? 0
  const took = performance.now() - began
  return [
    atMost('publish to 1,000 subscribers, accepted', accepted, 50, ms(accepted), ' ms'),
    atMost('publish to 1,000 subscribers, the last one has it', took / 1000, 2, ms(took), ' s'),
  ]
}
