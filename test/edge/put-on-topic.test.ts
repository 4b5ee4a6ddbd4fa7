import { afterAll, beforeAll, expect, it } from 'vitest'
import { newId } from '#shared/domain/ids.ts'
import { getMessage } from '#shared/domain/messages/message-store.ts'
import { putOnTopic } from '#shared/domain/messages/put-on-topic.ts'
import { listPublications } from '#shared/domain/topics/topic-store.ts'
import type { Table } from '#shared/platform/platform.ts'
import { aPlatform } from '#test/support/embedded.ts'

let embedded: Awaited<ReturnType<typeof aPlatform>>
beforeAll(async () => {
  embedded = await aPlatform()
})
afterAll(() => embedded.close())

const by = { actor: 'test', action: 'test', request: 'test' }

it('keeps what is put on a topic before anybody can receive it, and once when that is broken off', async () => {
  const { platform } = embedded
  const envelope = { id: newId('msg', platform), source: 'test', type: 'x', time: platform.clock.now() }
  const published = { topic: 'kept', envelope, data: { big: 'x'.repeat(1000) } }
  const onTopic = async () =>
    (await listPublications(platform, { tenant: 'default', topic: 'kept' }, { from: 0, to: 1e14, limit: 9 })).items
  let writes = 0
  const main: Table = {
    ...platform.main,
    transact: (given) => {
      if (++writes > 1) throw new Error('killed')
      return platform.main.transact(given)
    },
  }
  await expect(putOnTopic({ ...platform, main }, 'default', published, by)).rejects.toThrow('killed')
  expect((await getMessage(platform, 'default', envelope.id)).value.to).toEqual({ topic: 'kept' })
  expect(await onTopic()).toEqual([])
  await putOnTopic(platform, 'default', published, by)
  await putOnTopic(platform, 'default', { ...published, envelope: { ...envelope, time: envelope.time + 5 } }, by)
  expect(await onTopic()).toHaveLength(1)
})
