import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { project } from '#functions/stream/project.ts'
import { sweep } from '#functions/sweep/sweep.ts'
import { approvalItem, getApproval } from '#shared/domain/approvals/approval-store.ts'
import type { Change, CloudEvent } from '#shared/platform/platform.ts'
import { anApi, anAwsApi, type TestApi } from '#test/support/api.ts'
import { dynoxideBinary } from '#test/support/aws-servers.ts'
import { until } from '#test/support/server-process.ts'
import { aSkewedClock } from '#test/support/skewed-clock.ts'

const hosts = [
  { host: 'the embedded host', open: anApi },
  ...(dynoxideBinary() === undefined ? [] : [{ host: 'AWS', open: anAwsApi }]),
]
if (hosts.length === 1) console.warn('left out on AWS: there is no dynoxide for this platform')

let api: TestApi
let second: string

type Joined = { instanceId: string; token: string }
const lease = async (joined: Joined) =>
  (await api.post(`/instances/${joined.instanceId}/lease?wait=5`, { max: 1 }, { key: joined.token })).body.tasks[0]

/** A task that waits for an approval, with its instance. */
const asking = async (name: string, terms = {}, more = {}) => {
  await api.post('/agents', { name, capabilities: [{ name }] })
  const joined: Joined = (await api.post('/instances', { agent: name })).body
  const { id } = (await api.post('/tasks', { capability: name, ...more })).body
  const { fence } = await lease(joined)
  const body = { fence, kind: 'approval', prompt: { ship: '1.2.3' }, checkpoint: { at: 1 }, ...terms }
  const waiting = await api.post(`/tasks/${id}/wait`, body, { key: joined.token })
  expect(waiting).toMatchObject({ status: 200, body: { status: 'WAITING' } })
  return { id, joined, body, approval: waiting.body.waiting.approval as string }
}
const taskOf = async (id: string) => (await api.get(`/tasks/${id}`)).body
const approvalOf = async (id: string) => (await api.get(`/approvals/${id}`)).body
const stateOf = (id: string, state: string) =>
  until(async () => (await approvalOf(id)).state === state, { what: state })

describe.each(hosts)('an approval on $host', ({ open }) => {
  beforeAll(async () => {
    api = await open()
    second = await api.keyOf('default')
  })
  afterAll(() => api?.close())

  it('stands in the inbox while its task waits, and lets it go on with what was said', async () => {
    const { id, joined, body, approval } = await asking('apr.go', { approvers: ['ann', 'release-team'] })
    expect((await api.post(`/tasks/${id}/wait`, body, { key: joined.token })).body.waiting.approval).toBe(approval)
    const inbox = await until(async () => {
      const { items } = (await api.get(`/approvals?state=PENDING&task=${id}`)).body
      return items.length === 1 && items
    })
    expect(inbox[0]).toMatchObject({
      id: approval,
      state: 'PENDING',
      task: id,
      agent: 'apr.go',
      prompt: { ship: '1.2.3' },
      approvers: ['ann', 'release-team'],
      quorum: 1,
      history: [{ what: 'requested' }],
    })
    expect((await api.get(`/tasks/${id}/why`)).body).toMatchObject({
      code: 'WAITING_FOR_APPROVAL',
      evidence: { approval, approvers: ['ann', 'release-team'], state: 'PENDING' },
    })
    const decided = await api.post(`/approvals/${approval}/approve`, { comment: 'fine', response: { window: 'now' } })
    expect(decided).toMatchObject({ status: 200, body: { state: 'APPROVED', decisions: [{ verdict: 'approve' }] } })
    const again = await lease(joined)
    expect(again).toMatchObject({
      taskId: id,
      attempt: 1,
      checkpoint: { at: 1 },
      resume: {
        kind: 'approval',
        response: { approved: true, approval, comment: 'fine', response: { window: 'now' } },
      },
    })
    expect((await api.get(`/approvals?state=PENDING&task=${id}`)).body.items).toEqual([])
  })

  it('is decided once: the same again is answered, another decision is not', async () => {
    const { approval } = await asking('apr.once')
    const approve = (key?: string) => api.post(`/approvals/${approval}/approve`, undefined, { key })
    expect((await approve()).status).toBe(200)
    expect((await approve()).body).toMatchObject({ state: 'APPROVED', decisions: [{}] })
    expect(await api.post(`/approvals/${approval}/reject`)).toMatchObject({
      status: 409,
      body: { code: 'ALREADY_DECIDED' },
    })
    expect(await approve(second)).toMatchObject({ status: 409, body: { code: 'ALREADY_DECIDED' } })
  })

  it.each([1, 2])(
    'with a quorum of %i keeps what a key has said, and refuses that it says something else',
    async (quorum) => {
      const { approval } = await asking(`apr.said.${quorum}`, { quorum })
      const approve = (body: object) => api.post(`/approvals/${approval}/approve`, body)
      const first = { response: { window: 'now', a: 1 }, comment: 'fine' }
      const decided = await approve(first)
      expect(decided.status).toBe(200)
      expect(await approve({ comment: 'fine', response: { a: 1, window: 'now' } })).toMatchObject({
        status: 200,
        body: decided.body,
      })
      for (const other of [{ ...first, response: 2 }, { ...first, comment: 'no' }, { comment: 'fine' }, {}])
        expect(await approve(other)).toMatchObject({
          status: 409,
          body: { code: 'ALREADY_DECIDED', detail: expect.stringContaining('with another comment or response') },
        })
      expect(await approvalOf(approval)).toEqual(decided.body)
      expect((await api.post(`/approvals/${approval}/reject`)).status).toBe(quorum === 1 ? 409 : 200)
    },
  )

  it('fails its task when it is rejected', async () => {
    const { id, approval } = await asking('apr.no')
    expect((await api.post(`/approvals/${approval}/reject`, { comment: 'too early' })).body.state).toBe('REJECTED')
    const { failure, status } = await taskOf(id)
    expect({ status, code: failure.code }).toEqual({ status: 'FAILED', code: 'REJECTED' })
    expect(failure.message).toMatch(/^rejected by key:.*: too early$/)
    expect((await api.get(`/tasks/${id}/why`)).body.code).toBe('REJECTED')
  })

  it('tells a rejection to a task that asked for that', async () => {
    const { approval, joined } = await asking('apr.told', { onReject: 'resume' })
    await api.post(`/approvals/${approval}/reject`, { comment: 'no' })
    expect((await lease(joined)).resume.response).toMatchObject({ approved: false, comment: 'no' })
  })

  it('needs as many different principals as its quorum says', async () => {
    const { id, approval } = await asking('apr.two', {
      quorum: 2,
      approvers: ['ann'],
      escalateAfterSeconds: 3600,
      escalateTo: ['eve'],
    })
    const approve = (key?: string) => api.post(`/approvals/${approval}/approve`, {}, { key })
    expect((await approve()).body.state).toBe('PENDING')
    expect((await approve()).body).toMatchObject({ state: 'PENDING', decisions: [{}] })
    expect((await taskOf(id)).status).toBe('WAITING')
    const [decision] = (await approvalOf(approval)).decisions
    expect((await api.get(`/tasks/${id}/why`)).body).toMatchObject({
      code: 'WAITING_FOR_APPROVAL',
      message: expect.stringMatching(/^it waits for 2 approvals of ann until .*, and key:.* approved$/),
      evidence: { quorum: 2, approvedBy: [decision.by] },
    })
    expect((await approve(second)).body.state).toBe('APPROVED')
    expect((await taskOf(id)).status).toBe('QUEUED')
  })

  it('of two opposite decisions at once takes one', async () => {
    const { id, approval } = await asking('apr.race')
    const answers = await Promise.all([
      api.post(`/approvals/${approval}/approve`),
      api.post(`/approvals/${approval}/reject`, {}, { key: second }),
    ])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409])
    const { state } = await approvalOf(approval)
    expect((await taskOf(id)).status).toBe(state === 'APPROVED' ? 'QUEUED' : 'FAILED')
  })

  it('can be delegated', async () => {
    const { approval } = await asking('apr.pass', { approvers: ['ann', 'bob'] })
    const pass = (body: object) => api.post(`/approvals/${approval}/delegate`, body)
    expect((await pass({ to: 'eve', from: 'ann', comment: 'away' })).body).toMatchObject({
      approvers: ['bob', 'eve'],
      history: [{ what: 'requested' }, { what: 'delegated', to: ['eve'], comment: 'away' }],
    })
    expect((await pass({ to: 'zoe', from: 'ann' })).body.code).toBe('CONFLICT')
    expect((await pass({ to: ' ' })).body.errors[0].pointer).toBe('#/to')
    expect((await pass({ to: 'zoe' })).body.approvers).toEqual(['zoe'])
    await api.post(`/approvals/${approval}/approve`)
    expect((await pass({ to: 'ann' })).body.code).toBe('ALREADY_DECIDED')
  })

  it('is delegated once however often the same is said', async () => {
    const { approval } = await asking('apr.again', { approvers: ['ann', 'bob'] })
    const pass = (body: object) => api.post(`/approvals/${approval}/delegate`, body)
    for (const body of [{ to: 'eve', from: 'ann' }, { to: 'zoe' }]) {
      const first = await pass(body)
      const again = await pass({ ...body, comment: 'once more' })
      expect([again.status, again.body]).toEqual([200, first.body])
    }
    expect((await approvalOf(approval)).history).toHaveLength(3)
  })

  it('may need more people than it names where one of the names is a group', async () => {
    const { approval } = await asking('apr.group', { quorum: 3, approvers: ['ann', 'group:release-team'] })
    expect(await approvalOf(approval)).toMatchObject({ quorum: 3, approvers: ['ann', 'group:release-team'] })
  })

  it('is cancelled with its task', async () => {
    const { id, approval } = await asking('apr.gone')
    await api.post(`/tasks/${id}/cancel`)
    expect(await approvalOf(approval)).toMatchObject({ state: 'CANCELLED' }) // at once
    expect((await api.get(`/approvals?state=PENDING&task=${id}`)).body.items).toEqual([])
    expect((await api.post(`/approvals/${approval}/approve`)).body.code).toBe('ALREADY_DECIDED')
  })

  it('is not what a response answers', async () => {
    const { id, approval } = await asking('apr.not')
    const refused = await api.post(`/tasks/${id}/input`, { response: true })
    expect(refused).toMatchObject({ status: 409, body: { code: 'NOT_WAITING' } })
    expect(refused.body.detail).toContain(`/approvals/${approval}/approve`)
  })

  it('is nobody else’s: another tenant finds none', async () => {
    const { approval } = await asking('apr.tenant')
    const key = await api.keyOf('other')
    expect((await api.get(`/approvals/${approval}`, { key })).status).toBe(404)
    expect((await api.post(`/approvals/${approval}/approve`, {}, { key })).status).toBe(404)
    expect((await api.get('/approvals', { key })).body.items).toEqual([])
  })

  it('is listed newest first, in pages', async () => {
    const made = [await asking('apr.l1'), await asking('apr.l2'), await asking('apr.l3')].map((one) => one.approval)
    const { items, nextCursor } = (await api.get('/approvals?limit=2')).body
    expect(items.map((one: { id: string }) => one.id)).toEqual([made[2], made[1]])
    const next = (await api.get(`/approvals?limit=1&cursor=${encodeURIComponent(nextCursor)}`)).body
    expect(next.items[0].id).toBe(made[0])
  })
})

describe('time and an approval', () => {
  const clock = aSkewedClock()
  const published: CloudEvent[] = []
  beforeAll(async () => {
    api = await anApi({ clock })
    const publish = api.platform.bus.publish.bind(api.platform.bus)
    api.platform.bus.publish = async (events) => {
      published.push(...events)
      return publish(events)
    }
  })
  afterAll(() => api?.close())
  const pass = async (ms: number) => {
    clock.forward(ms)
    await sweep(api.platform)
  }
  const eventsOf = (id: string) =>
    published.filter(({ subject }) => subject === id).map(({ type }) => type.replace('io.devcycle.approval.', ''))

  it('escalates it, then lets it expire with its task, and tells both', async () => {
    const terms = { approvers: ['ann'], escalateAfterSeconds: 60, escalateTo: ['boss'], expiresInSeconds: 120 }
    const { id, approval } = await asking('slow.people', terms)
    await pass(59_000)
    expect((await approvalOf(approval)).state).toBe('PENDING')
    await pass(2000)
    expect(await approvalOf(approval)).toMatchObject({
      state: 'ESCALATED',
      approvers: ['ann', 'boss'],
      history: [{ what: 'requested' }, { what: 'escalated', to: ['boss'] }],
    })
    expect((await api.get('/approvals?state=ESCALATED')).body.items).toHaveLength(1)
    await pass(60_000)
    await stateOf(approval, 'EXPIRED')
    expect((await taskOf(id)).failure.code).toBe('TIMEOUT')
    await until(() => eventsOf(approval).length === 3)
    expect(eventsOf(approval)).toEqual(['requested.v1', 'escalated.v1', 'expired.v1'])
  })

  it('promises no time after the deadline of its task', async () => {
    const deadline = new Date(clock.now() + 60_000).toISOString()
    const terms = { expiresInSeconds: 120, escalateAfterSeconds: 90, escalateTo: ['boss'] }
    const { approval } = await asking('short.time', terms, { deadline })
    const asked = await approvalOf(approval)
    expect([asked.expiresAt, asked.escalateAt]).toEqual([deadline, undefined])
    await pass(61_000)
    await stateOf(approval, 'EXPIRED')
  })

  it('can be given after the escalation', async () => {
    const { id, approval } = await asking('late.people', { escalateAfterSeconds: 1, escalateTo: ['boss'] })
    await pass(2000)
    expect((await api.post(`/approvals/${approval}/approve`)).body.state).toBe('APPROVED')
    expect((await taskOf(id)).status).toBe('QUEUED')
    await until(() => eventsOf(approval).includes('decided.v1'))
  })

  it('changes nothing when the projector sees the end of its task again', async () => {
    const { id, approval } = await asking('seen.twice')
    const key = { pk: `default#task#${id}`, sk: 'head' }
    const before = await api.platform.main.get(key)
    await api.post(`/tasks/${id}/cancel`)
    await stateOf(approval, 'CANCELLED')
    const closed = await approvalOf(approval)
    const change: Change = { id: 'again', key, type: 'task', before, after: await api.platform.main.get(key) }
    await project(api.platform, [change])
    expect(await approvalOf(approval)).toEqual(closed)
  })

  it('is closed by the sweep when the projector never saw the end of its task', async () => {
    const { approval } = await asking('seen.never', { expiresInSeconds: 60 })
    const { value } = await getApproval(api.platform, 'default', approval)
    await api.post(`/approvals/${approval}/approve`)
    await api.platform.main.write({ op: 'put', item: approvalItem(value), expect: 'any' })
    await pass(61_000)
    expect((await approvalOf(approval)).state).toBe('CANCELLED')
  })
})
