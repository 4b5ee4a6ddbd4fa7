import { Webhook } from 'standardwebhooks'
import { expect, it } from 'vitest'
import { awaited, type Calls } from '../calls.ts'

type Received = { receipt: string; message: { id: string; type: string; data: unknown } }

/** Messages: from other systems, through topics and their patterns, to queues and tasks. */
export const topicScenarios = ({ post, call, get }: Calls) => {
  const receive = (queue: string) =>
    awaited(async () => {
      const { messages } = (await post(`/queues/${queue}/receive`, { max: 10 }, { headers: { prefer: 'wait=10' } }))
        .body
      return messages.length > 0 ? (messages as Received[]) : undefined
    }, `a message in ${queue}`)

  it('takes a signed webhook of another system to whom its pattern matches, once', async () => {
    const hook = (await post('/hooks', { name: 'aws-shop', scheme: 'standard-webhooks', topic: 'aws.orders' })).body
    await post('/queues', { name: 'aws-large' })
    const pattern = { type: ['order.paid'], data: { amount: [{ numeric: ['>=', 100] }] } }
    const made = await post('/subscriptions', { topic: 'aws.*', pattern, target: { queue: 'aws-large' } })
    await post('/subscriptions', { topic: 'aws.orders', pattern, target: { capability: 'aws.ship' } })
    const now = new Date()
    const send = (id: string, amount: number) => {
      const body = { type: 'order.paid', amount }
      const headers = {
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
        'webhook-signature': new Webhook(hook.secret).sign(id, now, JSON.stringify(body)),
      }
      return call('POST', '/hooks/aws-shop', { body, headers })
    }
    expect(await send('order-1', 5)).toMatchObject({ status: 202, body: { duplicate: false } })
    const large = await send('order-2', 500)
    expect(await send('order-2', 500)).toMatchObject({ status: 202, body: { duplicate: true } })
    const got = await receive('aws-large')
    expect(got).toMatchObject([{ message: { id: large.body.message, type: 'order.paid', data: { amount: 500 } } }])
    const ack = await post('/queues/aws-large/ack', { receipts: got.map(({ receipt }) => receipt) })
    expect(ack.body.items).toMatchObject([{ ok: true }])
    const [task, ...more] = await awaited(async () => {
      const { items } = await get('/tasks?capability=aws.ship')
      return items.length > 0 && items
    }, 'the task of the order')
    expect(more).toEqual([])
    await post(`/tasks/${task.id}/cancel`)
    const { items } = await get(`/subscriptions/${made.body.id}/matches`)
    expect(items).toMatchObject([{ state: 'DELIVERED', message: large.body.message }])
  })

  it('gives a subscription messages of before again', async () => {
    await post('/queues', { name: 'aws-again' })
    const from = new Date(Date.now() - 60_000).toISOString()
    const sent = await post('/messages', { to: { topic: 'aws.again' }, type: 'a', data: { big: 'x'.repeat(40_000) } })
    const { id } = (await post('/subscriptions', { topic: 'aws.again', target: { queue: 'aws-again' } })).body
    await awaited(async () => {
      const { body } = await post(`/subscriptions/${id}/replay`, { from })
      const path = `/subscriptions/${id}/replays/${body.id}`
      return awaited(async () => {
        const replay = await get(path)
        return replay.state === 'ENDED' && replay.matched > 0
      }, 'the end of the replay')
    }, 'a replay with a message')
    const [first] = await receive('aws-again')
    expect(first?.message).toMatchObject({ id: sent.body.id, data: { big: 'x'.repeat(40_000) } })
  })
}
