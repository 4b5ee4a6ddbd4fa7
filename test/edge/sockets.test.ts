import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ServerFrame } from '#shared/contracts/realtime.ts'
import { type ApiKey, createApiKey } from '#shared/domain/access/api-key.ts'
import { findConnection } from '#shared/domain/realtime/connection-store.ts'
import { tell } from '#shared/domain/realtime/tell.ts'
import { createTeller } from '#shared/domain/realtime/teller.ts'
import { redeemTicket } from '#shared/domain/realtime/ticket.ts'
import { watchersOf } from '#shared/domain/realtime/watch-store.ts'
import type { Change, Table } from '#shared/platform/platform.ts'
import { PlatformError } from '#shared/platform/platform-error.ts'
import type { TestApi } from '#test/support/api.ts'
import { apiHosts } from '#test/support/api-hosts.ts'
import { eventually } from '#test/support/eventually.ts'
import { fillWatches, recordedSockets } from '#test/support/recorded-sockets.ts'

const sockets = recordedSockets()
let api: TestApi
const open = async (key = api.apiKey) => sockets.open(api.platform, { authorization: `Bearer ${key}` })
const aTask = async (key?: string): Promise<string> =>
  (await api.post('/tasks', { capability: 'nobody.offers', input: {} }, key ? { key } : {})).body.id
const unknownTask = 'tsk_00000000000000000000000000'

const changeKey = async (id: string, change: Partial<ApiKey>): Promise<void> => {
  const found = await api.platform.main.get<ApiKey>({ pk: `platform#api-key#${id}`, sk: 'head' })
  if (found === undefined) throw new Error(`there is no key ${id}`)
  await api.platform.main.write({ op: 'put', item: { ...found, value: { ...found.value, ...change } }, expect: 'any' })
}

describe.each(apiHosts)('sockets on $host', ({ open: openApi }) => {
  beforeAll(async () => {
    api = await openApi({ realtime: sockets.realtime })
  })
  afterAll(() => api?.close())

  it('are opened once by a ticket that stands for the caller and is kept as a digest alone', async () => {
    const { status, body } = await api.post('/ws/ticket')
    expect(status).toBe(201)
    expect(body).toMatchObject({ expiresIn: 30, url: `wss://sockets.test?ticket=${body.ticket}` })
    const both = [sockets.open(api.platform, body), sockets.open(api.platform, body)]
    const outcomes = await Promise.allSettled(both)
    expect(outcomes.map(({ status: how }) => how).sort()).toEqual(['fulfilled', 'rejected'])
    await expect(sockets.open(api.platform, body)).rejects.toThrow('the ticket is unknown, over, or was used')
    const { items } = await api.platform.volatile.scan({ segment: 0, of: 1 })
    expect(JSON.stringify(items)).not.toContain(body.ticket)
  })

  it('refuse whoever shows no key, an unknown one, or an unknown ticket', async () => {
    for (const shown of [{}, { authorization: 'Bearer dck_x' }, { ticket: 'x' }, { authorization: 'Basic eA==' }])
      await expect(sockets.open(api.platform, shown)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    expect(await redeemTicket(api.platform, '')).toBeUndefined()
  })

  it('tell what changed of a topic, and of one entity whoever watches that alone', async () => {
    const [all, one] = [await open(), await open()]
    expect(await all.say({ type: 'subscribe', topic: 'tasks', ref: 'a' })).toEqual([
      { type: 'subscribed', topic: 'tasks', rev: expect.any(String), ref: 'a' },
    ])
    const [first, second] = [await aTask(), await aTask()]
    expect(await one.say({ type: 'subscribe', topic: 'tasks', id: first })).toEqual([
      { type: 'subscribed', topic: 'tasks', id: first, rev: expect.any(String) },
    ])
    await api.post(`/tasks/${first}/cancel`)
    await api.post(`/tasks/${second}/cancel`)
    const rev = (await api.platform.main.get({ pk: `default#task#${first}`, sk: 'head' }))?.rev
    await eventually(() => {
      expect(all.of('changed').at(-1)).toMatchObject({ topic: 'tasks', id: second })
      expect(one.of('changed').at(-1)).toEqual({ type: 'changed', topic: 'tasks', id: first, rev })
    })
    expect(new Set(one.of('changed').map((frame) => 'id' in frame && frame.id))).toEqual(new Set([first]))
  })

  it('say whether a client that knew an entity is behind, and that a topic has to be read again', async () => {
    const id = await aTask()
    const socket = await open()
    const [before] = await socket.say({ type: 'subscribe', topic: 'tasks', id })
    const since = (before as { rev: string }).rev
    await api.post(`/tasks/${id}/cancel`)
    const again = await open()
    const frames = await again.say({ type: 'subscribe', topic: 'tasks', id, since })
    expect(frames.map(({ type }) => type)).toEqual(['subscribed', 'changed'])
    const { rev } = frames[1] as { rev: string }
    expect((await (await open()).say({ type: 'subscribe', topic: 'tasks', id, since: rev })).length).toBe(1)
    const whole = await again.say({ type: 'subscribe', topic: 'agents', since })
    expect(whole.map(({ type }) => type)).toEqual(['subscribed', 'resync'])
  })

  it('never tell of another tenant, and deny what it has as if it were not there', async () => {
    const other = await api.keyOf('acme')
    const theirs = await aTask(other)
    const socket = await open()
    await socket.say({ type: 'subscribe', topic: 'tasks' })
    const denied = await socket.say({ type: 'subscribe', topic: 'tasks', id: theirs })
    const absent = await socket.say({ type: 'subscribe', topic: 'tasks', id: unknownTask })
    const without = (frames: ServerFrame[], id: string) => JSON.stringify(frames).replaceAll(id, 'ID')
    expect(denied).toMatchObject([{ type: 'error', code: 'NOT_FOUND', pointer: '#/id' }])
    expect(without(denied, theirs)).toBe(without(absent, unknownTask))
    await api.post(`/tasks/${theirs}/cancel`, undefined, { key: other })
    const ours = await aTask()
    await eventually(() => expect(JSON.stringify(socket.of('changed'))).toContain(ours))
    expect(JSON.stringify(socket.of('changed'))).not.toContain(theirs)
  })

  it('tell nothing more of what is not watched any longer', async () => {
    const [socket, witness] = [await open(), await open()]
    await witness.say({ type: 'subscribe', topic: 'tasks' })
    await socket.say({ type: 'subscribe', topic: 'tasks' })
    expect(await socket.say({ type: 'unsubscribe', topic: 'tasks' })).toEqual([
      { type: 'unsubscribed', topic: 'tasks' },
    ])
    expect(await socket.say({ type: 'unsubscribe', topic: 'agents' })).toHaveLength(1)
    const id = await aTask()
    await eventually(() => expect(JSON.stringify(witness.of('changed'))).toContain(id))
    expect(socket.of('changed')).toEqual([])
  })

  it.each([
    ['not JSON', 'MALFORMED_JSON', undefined],
    ['[]', 'INVALID', '#'],
    ['null', 'INVALID', '#'],
    ['{}', 'INVALID', '#/type'],
    ['{"type":"shout"}', 'INVALID', '#/type'],
    ['{"type":"subscribe"}', 'INVALID', '#/topic'],
    ['{"type":"subscribe","topic":"secrets"}', 'INVALID', '#/topic'],
    ['{"type":"subscribe","topic":"tasks","id":"agt_00000000000000000000000000"}', 'INVALID', '#/id'],
    ['{"type":"subscribe","topic":"tasks","id":7}', 'INVALID', '#/id'],
    ['{"type":"subscribe","topic":"tasks","since":""}', 'INVALID', '#/since'],
    ['{"type":"subscribe","topic":"work"}', 'INVALID', '#/id'],
    ['{"type":"ping","more":1}', 'INVALID', '#/more'],
    [`${'['.repeat(70)}${']'.repeat(70)}`, 'INVALID', `#${'/0'.repeat(64)}`],
    ['{"__proto__":{}}', 'INVALID', '#/__proto__'],
    [`{"type":"ping","ref":"${'x'.repeat(131_072)}"}`, 'PAYLOAD_TOO_LARGE', undefined],
  ])('refuse the frame %# with what is wrong with it', async (text, code, pointer) => {
    const socket = await open()
    const [frame, ...more] = await socket.say(text)
    expect(frame).toMatchObject({ type: 'error', code, ...(pointer && { pointer }) })
    expect(more).toEqual([])
    expect(await socket.say({ type: 'ping', ref: '1' })).toEqual([{ type: 'pong', ref: '1' }])
  })

  it('let a caller watch only what it may read', async () => {
    const agentKey = await api.keyOf('default', 'agent')
    const socket = await open(agentKey)
    expect(await socket.say({ type: 'subscribe', topic: 'approvals' })).toMatchObject([
      { type: 'error', code: 'FORBIDDEN' },
    ])
    expect(await socket.say({ type: 'subscribe', topic: 'agents' })).toMatchObject([{ type: 'subscribed' }])
  })

  it('watch so much at most, and the same twice as one', async () => {
    const socket = await open()
    await fillWatches(api.platform, socket.id, 99)
    for (const _ of [1, 2])
      expect(await socket.say({ type: 'subscribe', topic: 'agents' })).toMatchObject([{ type: 'subscribed' }])
    expect(await socket.say({ type: 'subscribe', topic: 'tasks' })).toMatchObject([{ type: 'error', code: 'CONFLICT' }])
  })

  it('limit how many frames a connection sends, and close one that goes on', async () => {
    const socket = await open()
    await Promise.all(Array.from({ length: 400 }, () => socket.say({ type: 'ping' })))
    expect(socket.of('error')[0]).toMatchObject({ code: 'RATE_LIMITED' })
    expect(socket.socket.closed).toMatchObject({ code: 1008 })
    expect(await findConnection(api.platform, socket.id)).toBeUndefined()
    expect(await (await open()).say({ type: 'ping' })).toEqual([{ type: 'pong' }])
  })

  it.each(['BEHIND', 'FAILS', 'GONE'] as const)('keep nothing of a connection that is %s', async (outcome) => {
    const [socket, witness] = [await open(), await open()]
    for (const one of [socket, witness]) await one.say({ type: 'subscribe', topic: 'tasks' })
    socket.socket.outcome = outcome
    const id = await aTask()
    await eventually(async () => {
      expect(JSON.stringify(witness.of('changed'))).toContain(id)
      const watchers = await watchersOf(api.platform, { tenant: 'default', topic: 'tasks' })
      expect(watchers.map(({ connection }) => connection)).not.toContain(socket.id)
      expect(await findConnection(api.platform, socket.id)).toBeUndefined()
    })
    expect(socket.socket.closed?.code).toBe(outcome === 'GONE' ? undefined : 1013)
  })

  it('tell whoever watches a topic to read it again when too much changed at once', async () => {
    const socket = await open()
    await socket.say({ type: 'subscribe', topic: 'schedules' })
    const frames = new Map(
      Array.from({ length: 201 }, (_, at) => [
        `sch_${at}`,
        { type: 'changed', topic: 'schedules', id: `sch_${at}`, rev: '1' } as const,
      ]),
    )
    await tell(api.platform, [{ tenant: 'default', topic: 'schedules', frames }])
    expect(socket.socket.frames.slice(1)).toEqual([{ type: 'resync', topic: 'schedules' }])
  })

  it('tell whoever watches to read again what could not be told, and of everything else all the same', async () => {
    const [missing, other] = [await open(), await open()]
    await missing.say({ type: 'subscribe', topic: 'schedules' })
    await other.say({ type: 'subscribe', topic: 'approvals' })
    let failures = 8
    const { volatile } = api.platform
    const query: Table['query'] = async (asked) => {
      if (!asked.pk.endsWith('#schedules') || failures === 0) return volatile.query(asked)
      failures--
      throw new PlatformError('THROTTLED', 'too many reads')
    }
    const changed = (type: string, id: string): Change => {
      const key = { pk: `default#${type}#${id}`, sk: 'head' }
      return { id, key, type, after: { ...key, type, rev: '1', value: { tenant: 'default', id } } }
    }
    const teller = createTeller({ ...api.platform, volatile: { ...volatile, query } })
    await teller.note([changed('schedule', 'sch_1'), changed('approval', 'apr_1')])
    expect(other.of('changed')).toMatchObject([{ topic: 'approvals', id: 'apr_1' }])
    await eventually(async () => expect(missing.of('resync')).toEqual([{ type: 'resync', topic: 'schedules' }]))
    expect(missing.of('changed')).toEqual([])
  })

  it('close a connection that nobody knows', async () => {
    const socket = await open()
    await api.platform.volatile.write({
      op: 'delete',
      key: { pk: `platform#connection#${socket.id}`, sk: 'head' },
      expect: 'any',
    })
    expect(await socket.say({ type: 'ping' })).toEqual([])
    expect(socket.socket.closed).toMatchObject({ code: 1001 })
  })

  it('close when the key of whoever opened them is revoked, and no others', async () => {
    const { apiKey, id } = await createApiKey(api.platform, { tenant: 'default', role: 'admin', name: 'short-lived' })
    const [socket, other] = [await open(apiKey), await open()]
    await socket.say({ type: 'subscribe', topic: 'tasks' })
    const ticket = (await api.post('/ws/ticket', undefined, { key: apiKey })).body
    await changeKey(id, { revokedAt: Date.now() })
    await eventually(async () => {
      expect(socket.socket.closed).toMatchObject({ code: 1008 })
      expect(await findConnection(api.platform, socket.id)).toBeUndefined()
    })
    expect(await other.say({ type: 'ping' })).toEqual([{ type: 'pong' }])
    await expect(sockets.open(api.platform, ticket)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  it('end with the key of whoever opened them', async () => {
    const { apiKey, id } = await createApiKey(api.platform, { tenant: 'default', role: 'admin', name: 'ends soon' })
    const expiresAt = Date.now() + 60_000
    await changeKey(id, { expiresAt })
    expect(await findConnection(api.platform, (await open(apiKey)).id)).toMatchObject({ expiresAt })
  })

  it('close when the instance that opened them leaves', async () => {
    const name = `leaver-${Date.now()}`
    await api.post('/agents', { name, capabilities: [{ name: `do.${name}` }] })
    const { body: joined } = await api.post('/instances', { agent: name, slots: 1 })
    const socket = await open(joined.token)
    await api.request('DELETE', `/instances/${joined.instanceId}`, { key: joined.token })
    await eventually(() => expect(socket.socket.closed).toMatchObject({ code: 1008 }))
  })
})
