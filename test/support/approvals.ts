import { expect } from 'vitest'
import type { TestApi } from './api.ts'
import { until } from './server-process.ts'

type Joined = { instanceId: string; token: string }

/** Tasks that wait for approvals, and what becomes of both. */
export const approvalCalls = (api: () => TestApi) => {
  const lease = async (joined: Joined) =>
    (await api().post(`/instances/${joined.instanceId}/lease?wait=5`, { max: 1 }, { key: joined.token })).body.tasks[0]

  /** A task that waits for an approval, with its instance. */
  const asking = async (name: string, terms = {}, more = {}) => {
    await api().post('/agents', { name, capabilities: [{ name }] })
    const joined: Joined = (await api().post('/instances', { agent: name })).body
    const { id } = (await api().post('/tasks', { capability: name, ...more })).body
    const { fence } = await lease(joined)
    const body = { fence, kind: 'approval', prompt: { ship: '1.2.3' }, checkpoint: { at: 1 }, ...terms }
    const waiting = await api().post(`/tasks/${id}/wait`, body, { key: joined.token })
    expect(waiting).toMatchObject({ status: 200, body: { status: 'WAITING' } })
    return { id, joined, body, approval: waiting.body.waiting.approval as string }
  }
  const taskOf = async (id: string) => (await api().get(`/tasks/${id}`)).body
  const approvalOf = async (id: string) => (await api().get(`/approvals/${id}`)).body
  const stateOf = (id: string, state: string) =>
    until(async () => (await approvalOf(id)).state === state, { what: state })

  return { lease, asking, taskOf, approvalOf, stateOf }
}
