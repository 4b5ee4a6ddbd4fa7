import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { project } from '#functions/stream/project.ts'
import { sweep } from '#functions/sweep/sweep.ts'
import { approvalItem, getApproval } from '#shared/domain/approvals/approval-store.ts'
import type { Change, CloudEvent } from '#shared/platform/platform.ts'
import { anApi, type TestApi } from '#test/support/api.ts'
import { approvalCalls } from '#test/support/approvals.ts'
import { until } from '#test/support/server-process.ts'
import { aSkewedClock } from '#test/support/skewed-clock.ts'

let api: TestApi
const { asking, taskOf, approvalOf, stateOf } = approvalCalls(() => api)

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
