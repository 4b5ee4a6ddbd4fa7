import { afterAll, beforeAll, expect, it } from 'vitest'
import { newId } from '#shared/domain/ids.ts'
import { findMessage, getMessage } from '#shared/domain/messages/message-store.ts'
import { putOnTopic } from '#shared/domain/messages/put-on-topic.ts'
import { listPublications, publicationPk } from '#shared/domain/topics/topic-store.ts'
import type { Table } from '#shared/platform/platform.ts'
import { aPlatform } from '#test/support/embedded.ts'

let embedded: Awaited<ReturnType<typeof aPlatform>>
beforeAll(async () => {
  embedded = await aPlatform()
})
afterAll(() => embedded.close())

const by = { actor: 'test', action: 'test', request: 'test' }

const aMessage = (topic: string) => ({
  topic,
  envelope: { id: newId('msg', embedded.platform), source: 'test', type: 'x', time: embedded.platform.clock.now() },
  data: { big: 'x'.repeat(1000) },
})
const onTopic = async (topic: string) =>
  (await listPublications(embedded.platform, { tenant: 'default', topic }, { from: 0, to: 1e14, limit: 9 })).items

/** A table that fails from its `nth` write on. */
const dyingAt = (nth: number): Table => {
  const { main } = embedded.platform
  let writes = 0
  const unlessDead = <A extends unknown[], R>(write: (...given: A) => Promise<R>) => {
    return (...given: A): Promise<R> => (++writes < nth ? write(...given) : Promise.reject(new Error('killed')))
  }
  return { ...main, write: unlessDead(main.write), transact: unlessDead(main.transact) }
}

it.each([1, 2, 3])('keeps a message together with its place on the topic: killed at write %i', async (nth) => {
  const { platform } = embedded
  const published = aMessage(`dying-${nth}`)
  await putOnTopic({ ...platform, main: dyingAt(nth) }, 'default', published, by).catch((error) =>
    expect(error.message).toBe('killed'),
  )
  const kept = await findMessage(platform, 'default', published.envelope.id)
  expect(await onTopic(published.topic)).toHaveLength(kept ? 1 : 0)
  await putOnTopic(platform, 'default', published, by)
  expect((await getMessage(platform, 'default', published.envelope.id)).value.to).toEqual({ topic: published.topic })
  expect(await onTopic(published.topic)).toHaveLength(1)
})

it('puts a message on its topic that was kept without being there', async () => {
  const { platform } = embedded
  const published = aMessage('alone')
  await putOnTopic(platform, 'default', published, by)
  const [publication] = await onTopic('alone')
  const key = { pk: publicationPk('default', publication?.value.id ?? ''), sk: 'head' }
  await platform.main.write({ op: 'delete', key, expect: 'any' })
  expect(await onTopic('alone')).toEqual([])
  await putOnTopic(platform, 'default', published, by)
  expect(await onTopic('alone')).toHaveLength(1)
})

it('is one message however often, and whenever, it is put there', async () => {
  const { platform } = embedded
  const published = aMessage('again')
  await putOnTopic(platform, 'default', published, by)
  const { envelope } = published
  await putOnTopic(platform, 'default', { ...published, envelope: { ...envelope, time: envelope.time + 5 } }, by)
  expect(await onTopic('again')).toHaveLength(1)
})
