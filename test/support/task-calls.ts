import type { TestApi } from './api.ts'

export type Joined = { instanceId: string; token: string }
export type Leased = { taskId: string; fence: string }

/** What tests of routing and of order ask of an API. */
export const taskCalls = (api: TestApi) => {
  const lease = async (joined: Joined, max = 1, wait = 0): Promise<Leased[]> =>
    (await api.post(`/instances/${joined.instanceId}/lease?wait=${wait}`, { max }, { key: joined.token })).body.tasks
  return {
    lease,
    register: async (name: string, more = {}) =>
      (await api.post('/agents', { name, capabilities: [{ name }], ...more })).body,
    join: async (agent: string, slots = 1, labels = {}): Promise<Joined> =>
      (await api.post('/instances', { agent, slots, labels })).body,
    leave: (joined: Joined) => api.request('DELETE', `/instances/${joined.instanceId}`, { key: joined.token }),
    submit: async (body: object) => (await api.post('/tasks', body)).body,
    end: ({ taskId, fence }: Leased, joined: Joined) =>
      api.post(`/tasks/${taskId}/complete`, { fence, result: 1 }, { key: joined.token }),
    ids: async (joined: Joined, max = 1, wait = 0) => (await lease(joined, max, wait)).map(({ taskId }) => taskId),
  }
}
