import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { project } from '#functions/stream/project.ts'
import type { Change } from '#shared/platform/platform.ts'
import type { TestApi } from '#test/support/api.ts'
import { apiHosts } from '#test/support/api-hosts.ts'
import { eventually } from '#test/support/eventually.ts'

let api: TestApi
let names = 0
const nameOf = (what: string): string => `${what}-${Date.now()}-${names++}`

type Leased = { taskId: string; fence: string; hops?: string[]; input: { id: string; data: unknown } }

/** An agent with one instance, which a test plays. */
const aWorker = async (more: object) => {
  const name = nameOf('worker')
  const made = await api.post('/agents', { name, configuration: { retry: { attempts: 1 } }, ...more })
  expect(made.status, JSON.stringify(made.body)).toBe(201)
  const { instanceId, token } = (await api.post('/instances', { agent: name, slots: 8 })).body
  return {
    name,
    token,
    lease: (): Promise<Leased> =>
      eventually(async () => {
        const { body } = await api.post(`/instances/${instanceId}/lease?wait=10`, { max: 1 }, { key: token })
        expect(body.tasks).toHaveLength(1)
        return body.tasks[0]
      }),
    end: (task: Leased, verb: 'complete' | 'fail', body: object) =>
      api.post(`/tasks/${task.taskId}/${verb}`, { fence: task.fence, ...body }, { key: token }),
  }
}

type Mail = { message: { id: string; data: { conversation: number; n: number } } }

describe.each(apiHosts)('messages on $host', ({ host, open }) => {
  beforeAll(async () => {
    api = await open()
  })
  afterAll(() => api?.close())

  it('that many send to one mailbox at once are each received and acknowledged once, in order per conversation', async () => {
    const [conversations, each] = host === 'AWS' ? [4, 8] : [8, 15]
    const { name, token } = await aWorker({})
    const sendAll = async (conversation: number): Promise<void> => {
      for (let n = 0; n < each; n++) {
        const body = { to: { agent: name }, type: 'x', conversation: `${conversation}`, data: { conversation, n } }
        const headers = { 'idempotency-key': `${name}.${conversation}.${n}` }
        const twice = [1, 2].map(() => api.post('/messages', body, { headers }))
        const [one, again] = await Promise.all(twice)
        expect(one).toMatchObject({ status: 202, body: { id: again?.body.id } })
        expect(again).toMatchObject({ status: 202 })
      }
    }
    const seen: Mail[] = []
    const receiveAll = async (): Promise<void> => {
      while (seen.length < conversations * each) {
        const waiting = { key: token, headers: { prefer: 'wait=1' } }
        const { items } = (await api.get(`/mailboxes/${name}/messages?max=10`, waiting)).body as { items: Mail[] }
        seen.push(...items)
        const ids = items.map(({ message }) => message.id)
        if (ids.length > 0) await api.post(`/mailboxes/${name}/ack`, { ids: [...ids, ...ids] }, { key: token })
      }
    }
    const senders = Array.from({ length: conversations }, (_, conversation) => sendAll(conversation))
    await Promise.all([...senders, receiveAll(), receiveAll(), receiveAll()])
    expect(new Set(seen.map(({ message }) => message.id)).size).toBe(seen.length)
    const byConversation = Map.groupBy(seen, ({ message }) => message.data.conversation)
    for (const mails of byConversation.values())
      expect(mails.map(({ message }) => message.data.n)).toEqual(Array.from({ length: each }, (_, n) => n))
    expect((await api.get(`/mailboxes/${name}`)).body).toMatchObject({ waiting: 0, inFlight: 0, dead: 0 })
  }, 120_000)

  it('that go round over the tasks that they start are ended, and the cycle is named', async () => {
    const [topic, capability] = [nameOf('round'), nameOf('go')]
    const worker = await aWorker({ capabilities: [{ name: capability }] })
    await api.post('/subscriptions', { topic, target: { capability } })
    await api.post('/messages', { to: { topic }, type: 'x' })
    let refused: { status: number; body: { code: string; detail: string } } | undefined
    let rounds = 0
    while (refused === undefined && rounds < 20) {
      const task = await worker.lease()
      rounds++
      expect(task.hops).toEqual(Array.from({ length: rounds }, () => topic))
      const message = { to: { topic }, type: 'x', hops: task.hops }
      const answer = await api.post('/messages', message, { key: worker.token })
      if (answer.status !== 202) refused = answer
      await worker.end(task, 'complete', { result: null })
    }
    expect(rounds).toBe(16)
    expect(refused).toMatchObject({ status: 409, body: { code: 'HOP_LIMIT' } })
    expect(refused?.body.detail).toContain(`${topic} → ${topic}`)
  })

  it('with a handler give what they passed to its task, and that to its children', async () => {
    const capability = nameOf('below')
    const worker = await aWorker({ messages: [{ type: 'x' }], capabilities: [{ name: capability }] })
    await api.post('/messages', { to: { agent: worker.name }, type: 'x' })
    const task = await worker.lease()
    expect(task.hops).toEqual([`agent:${worker.name}`])
    await api.post('/tasks', { capability, input: {}, parent: task.taskId }, { key: worker.token })
    expect((await worker.lease()).hops).toEqual(task.hops)
  })

  it('whose handler always fails hold up nobody else, not even in their conversation', async () => {
    const worker = await aWorker({ messages: [{ type: 'x' }] })
    const send = async (data: string) =>
      (await api.post('/messages', { to: { agent: worker.name }, type: 'x', conversation: 'c', data })).body.id
    const [poison, good] = [await send('poison'), await send('good')]
    const stateOf = async (id: string) => (await api.get(`/messages/${id}`)).body.letters[0]
    for (let round = 0; round < 3; round++) {
      const task = await worker.lease()
      expect(task.input.id).toBe(poison)
      await worker.end(task, 'fail', { code: 'AGENT_ERROR', message: 'it is poison', retryable: true })
      const reason = { code: 'AGENT_ERROR', message: 'it is poison' }
      await eventually(async () => expect(await stateOf(poison)).toMatchObject({ state: 'DEAD', reason }))
      if (round === 0) {
        const next = await worker.lease()
        expect(next.input.id).toBe(good)
        await worker.end(next, 'complete', { result: null })
        await eventually(async () => expect(await stateOf(good)).toMatchObject({ state: 'DONE' }))
      }
      if (round < 2) await api.post(`/mailboxes/${worker.name}/redrive`, { ids: [poison] })
    }
  })

  it('to hundreds of agents come to each, page by page, with a report for each of them', async () => {
    const type = nameOf('crowd')
    const many = host === 'AWS' ? 130 : 230 // a page has a hundred
    const agents = Array.from({ length: many }, (_, at) => `${type}.${at}`)
    for (let from = 0; from < many; from += 10)
      await Promise.all(agents.slice(from, from + 10).map((name) => api.post('/agents', { name, type })))
    const filter = { types: [type] }
    const { id } = (await api.post('/messages', { kind: 'broadcast', type: 'x', to: { filter }, data: 1 })).body
    await eventually(
      async () => expect((await api.get(`/messages/${id}`)).body).toMatchObject({ state: 'SENT', recipients: many }),
      60_000,
    )
    await api.get(`/mailboxes/${agents[0]}/messages`)
    await api.post(`/mailboxes/${agents[0]}/ack`, { ids: [id] })
    const report = new Map<string, string>()
    let cursor: string | null = ''
    while (cursor !== null) {
      const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
      const { items, nextCursor } = (await api.get(`/messages/${id}/letters?limit=100${query}`)).body
      for (const { inbox, state } of items as { inbox: string; state: string }[]) {
        expect(report.has(inbox)).toBe(false)
        report.set(inbox, state)
      }
      cursor = nextCursor
    }
    expect(report.size).toBe(many)
    expect(report.get(agents[0] ?? '')).toBe('DONE')
    expect([...report.values()].filter((state) => state === 'WAITING')).toHaveLength(many - 1)
  }, 120_000)
})

describe('what the feed tells again, in any order of its keys,', () => {
  it('starts no other task, sends no other response, and settles nothing anew', async () => {
    api = (await apiHosts[0]?.open()) as TestApi
    const changes: Change[] = []
    const recorder = api.platform.feed.consume('recorder', async (batch) => {
      changes.push(...batch)
      return []
    })
    const [asking, worker] = [await aWorker({}), await aWorker({ messages: [{ type: 'x' }] })]
    for (let n = 0; n < 5; n++) {
      const request = { kind: 'request', to: { agent: worker.name }, type: 'x', conversation: 'c', data: n }
      await api.post('/messages', { ...request, replyTo: asking.name })
    }
    for (let n = 0; n < 5; n++) await worker.end(await worker.lease(), 'complete', { result: n })
    const stored = async () => {
      const [tasks, messages, mailbox] = await Promise.all([
        api.get('/tasks?limit=200'),
        api.get('/messages?limit=200'),
        api.get(`/mailboxes/${asking.name}`),
      ])
      const ids = (body: { items: { id: string }[] }) => body.items.map(({ id }) => id).sort()
      return { tasks: ids(tasks.body), messages: ids(messages.body), mailbox: mailbox.body }
    }
    await eventually(async () => expect((await stored()).mailbox).toMatchObject({ waiting: 5 }))
    const before = await stored()
    expect([before.tasks.length, before.messages.length]).toEqual([5, 10])
    const keys = [...Map.groupBy(changes, ({ key }) => `${key.pk}\n${key.sk}`).values()]
    for (const order of [keys, keys.toReversed()])
      for (const ofKey of order) expect(await project(api.platform, ofKey)).toEqual([])
    expect(await stored()).toEqual(before)
    await recorder.stop()
    await api.close()
  })
})
