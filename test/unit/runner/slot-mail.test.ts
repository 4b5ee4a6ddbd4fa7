import { expect, it } from 'vitest'
import { createMail } from '#agent/runner/slot-mail.ts'

/** What a handler's calls send. */
const recorded = (hops?: string[]) => {
  const sent: Record<string, unknown>[] = []
  const ask = async (name: string, argument: unknown) => {
    if (name === 'send') sent.push((argument as { body: Record<string, unknown> }).body)
    return { id: 'msg_1' } as never
  }
  return { sent, mail: createMail({ id: 'tsk_1', fence: '1', capability: 'note', hops }, ask) }
}

it('what a handler sends knows what led to its task', async () => {
  const { sent, mail } = recorded(['builds', 'agent:scribe'])
  await mail.send('archive', 'kept')
  await mail.publish('builds', 'kept')
  await mail.request('archive', 'wanted')
  expect(sent.map(({ hops }) => hops)).toEqual([1, 2, 3].map(() => ['builds', 'agent:scribe']))
})

it('what nothing led to says nothing of it', async () => {
  const { sent, mail } = recorded()
  await mail.publish('builds', 'kept')
  expect(sent[0]).not.toHaveProperty('hops')
})
