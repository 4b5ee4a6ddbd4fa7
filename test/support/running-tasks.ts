import type { TestApi } from './api.ts'

export type Joined = { instanceId: string; token: string }

/** Makes tasks run, each on an instance of an agent of its own. */
export const runningTasks = (api: () => TestApi) => {
  const joinAs = async (agent: string): Promise<Joined> => (await api().post('/instances', { agent })).body
  const lease = async (joined: Joined) =>
    (await api().post(`/instances/${joined.instanceId}/lease?wait=5`, { max: 1 }, { key: joined.token })).body.tasks[0]
  /** A running task, and calls for it. */
  const running = async (name: string, more = {}) => {
    await api().post('/agents', { name, capabilities: [{ name }] })
    const joined = await joinAs(name)
    const { id } = (await api().post('/tasks', { capability: name, ...more })).body
    const task = await lease(joined)
    const call = (verb: string, body: object, as = joined) =>
      api().post(`/tasks/${id}/${verb}`, { fence: task.fence, ...body }, { key: as.token })
    return { joined, id, task, call }
  }
  return { joinAs, lease, running }
}
