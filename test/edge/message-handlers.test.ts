import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { endLetter } from '#shared/domain/messages/handle-letter.ts'
import { getTask } from '#shared/domain/tasks/task-store.ts'
import type { TestApi } from '#test/support/api.ts'
import { apiHosts } from '#test/support/api-hosts.ts'
import { mailOver } from '#test/support/mail.ts'
import { until } from '#test/support/server-process.ts'

let api: TestApi
const { anAgent, send, receive, ack, lettersOf } = mailOver(() => api)

describe.each(apiHosts)('a message with a handler on $host', ({ open }) => {
  beforeAll(async () => {
    api = await open()
  })
  afterAll(() => api?.close())

  const aHandler = async (name: string) => {
    await anAgent(name, { messages: [{ type: 'note.left' }], configuration: { retry: { attempts: 1 } } })
    const { instanceId, token } = (await api.post('/instances', { agent: name, slots: 4 })).body
    const lease = async () =>
      (await api.post(`/instances/${instanceId}/lease?wait=10`, { max: 1 }, { key: token })).body.tasks[0]
    const end = (task: { taskId: string; fence: string }, verb: string, body: object) =>
      api.post(`/tasks/${task.taskId}/${verb}`, { fence: task.fence, ...body }, { key: token })
    return { lease, end }
  }
  const stateOf = (id: string, state: string) =>
    until(async () => (await lettersOf(id))[0]?.state === state, { seconds: 10 })

  it('is a task of its agent, in order per conversation, and acknowledged with its success', async () => {
    const { lease, end } = await aHandler('hand.one')
    const sent = [1, 2].map((data) => send({ agent: 'hand.one' }, { data, conversation: 'c' }))
    const [first = '', second = ''] = [(await sent[0])?.body.id, (await sent[1])?.body.id]
    const task = await lease()
    expect(task).toMatchObject({ capability: 'message:note.left', input: { type: 'note.left' } })
    expect(await receive('hand.one')).toEqual([])
    await end(task, 'complete', { result: null })
    await stateOf(task.input.id, 'DONE')
    const next = await lease()
    expect([task.input.id, next.input.id].sort()).toEqual([first, second].sort())
  })

  it('is a dead letter when its task fails, and another task when it is redriven', async () => {
    const { lease, end } = await aHandler('hand.two')
    const { id } = (await send({ agent: 'hand.two' }, { data: 1 })).body
    const task = await lease()
    await end(task, 'fail', { code: 'AGENT_ERROR', message: 'no', retryable: false })
    await stateOf(id, 'DEAD')
    expect((await api.get('/mailboxes/hand.two/dead-letters')).body.items).toMatchObject([
      { reason: { code: 'AGENT_ERROR', message: 'no' } },
    ])
    expect((await api.post('/mailboxes/hand.two/redrive', { ids: [id] })).body).toEqual({ redriven: 1 })
    const again = await lease()
    expect(again.taskId).not.toBe(task.taskId)
    const { value: ended } = await getTask(api.platform, 'default', task.taskId)
    await endLetter(api.platform, ended) // told once more
    await stateOf(id, 'WAITING')
    expect(await ack('hand.two', { ids: [id] })).toEqual([])
    await end(again, 'complete', { result: null })
    await stateOf(id, 'DONE')
  })

  it('answers a request with the result', async () => {
    const { lease, end } = await aHandler('hand.three')
    const asking = send({ agent: 'hand.three' }, { kind: 'request', data: [1, 2] }, { prefer: 'wait=15' })
    const task = await lease()
    await end(task, 'complete', { result: { sum: 3 } })
    expect(await asking).toMatchObject({
      status: 200,
      body: { kind: 'response', source: '/agents/hand.three', data: { sum: 3 } },
    })
  })
})
