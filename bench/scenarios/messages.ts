import { setTimeout as sleep } from 'node:timers/promises'
import { ask, register } from '../api.ts'
import { floorTask, timed } from '../floor.ts'
import { atMost, ms, shown } from '../row.ts'
import { quantile } from '../statistics.ts'
import type { Product } from '../targets.ts'
import type { Scenario } from './scenario.ts'

const rounds = 300
const warmUp = 20
const agent = 'mailbox'

type Mail = { items: { message: { id: string } }[] }

/** Waits at the mailbox, takes the next message and acknowledges it. */
const receiveOne = async (product: Product): Promise<number> => {
  const { items } = await ask<Mail>(product, 'GET', `/mailboxes/${agent}/messages`, undefined, { prefer: 'wait=20' })
  const at = performance.now()
  await ask(product, 'POST', `/mailboxes/${agent}/ack`, { ids: items.map(({ message }) => message.id) })
  return at
}

/** One message at a time to an agent that waits at its mailbox: from the send to the receiver, both by HTTP. */
export const messages: Scenario = async ({ product, floor }) => {
  await register(product, agent)
  const times: number[] = []
  const base: number[] = []
  for (let n = 0; n < rounds; n++) {
    const received = receiveOne(product)
    await sleep(5)
    const began = performance.now()
    await ask(product, 'POST', '/messages', { to: { agent }, type: 'note.left', data: { n } })
    times.push((await received) - began)
    base.push(await timed(() => floorTask(floor, `messages-${n}`)))
  }
  const [p50, p99] = [quantile(times.slice(warmUp), 0.5), quantile(times.slice(warmUp), 0.99)]
  const ratio = p50 / quantile(base.slice(warmUp), 0.5)
  return [
    shown('direct message: send → received, p50, × floor', ratio, `${ms(p50)} (p99 ${ms(p99)})`),
    atMost('direct message: send → received, p99', p99, 100, ms(p99), { unit: ' ms' }),
  ]
}
