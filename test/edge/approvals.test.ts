import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anApi, anAwsApi, type TestApi } from '#test/support/api.ts'
import { approvalCalls } from '#test/support/approvals.ts'
import { dynoxideBinary } from '#test/support/aws-servers.ts'
import { until } from '#test/support/server-process.ts'

const hosts = [
  { host: 'the embedded host', open: anApi },
  ...(dynoxideBinary() === undefined ? [] : [{ host: 'AWS', open: anAwsApi }]),
]
if (hosts.length === 1) console.warn('left out on AWS: there is no dynoxide for this platform')

let api: TestApi
let second: string

const { lease, asking, taskOf, approvalOf } = approvalCalls(() => api)

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
