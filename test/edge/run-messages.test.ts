import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anApi, type TestApi } from '#test/support/api.ts'
import { eventually } from '#test/support/eventually.ts'

let api: TestApi
beforeAll(async () => {
  api = await anApi()
})
afterAll(() => api?.close())

const startOf = async (definition: string, input?: unknown): Promise<string> => {
  const { status, body } = await api.post('/workflows', { definition })
  if (status >= 300) throw new Error(JSON.stringify(body))
  return (await api.post(`/workflows/${body.name}/runs`, { input })).body.id
}
const ended = (id: string) =>
  eventually(async () => {
    const { body } = await api.get(`/runs/${id}`)
    expect(['RUNNING', 'COMPENSATING']).not.toContain(body.state)
    return body
  })
const anAgent = async (name: string, more: object = {}) => {
  await api.post('/agents', { name, capabilities: [{ name: `${name}.do` }], ...more })
  const { instanceId, token } = (await api.post('/instances', { agent: name, slots: 5 })).body
  return {
    token,
    lease: async () =>
      (await api.post(`/instances/${instanceId}/lease?wait=5`, { max: 1 }, { key: token })).body.tasks[0],
    mail: async () =>
      eventually(async () => {
        const { items } = (await api.get(`/mailboxes/${name}/messages?max=1`, { key: token })).body
        expect(items).toHaveLength(1)
        return items[0].message
      }),
  }
}
const why = async (id: string) => (await api.get(`/runs/${id}/why`)).body

describe('a message of a run', () => {
  it('comes into the mailbox of an agent, of an agent that offers something, and into a queue', async () => {
    const box = await anAgent('box')
    await api.post('/queues', { name: 'chores' })
    const run = await ended(
      await startOf(
        `
workflow: telling-agents
steps:
  - { name: told, kind: message, to: { agent: box }, type: build.finished, body: { n: '{% $input %}' }, conversation: c }
  - { name: offered, kind: message, to: { capability: '{% "box" & ".do" %}' }, type: again, conversation: c }
  - { name: queued, kind: message, to: { queue: chores }, type: work.came }
output: '{% $told.id %}'
`,
        7,
      ),
    )
    expect(run).toMatchObject({ state: 'SUCCEEDED', output: expect.stringMatching(/^msg_/) })
    const first = await box.mail()
    expect(first).toMatchObject({
      id: run.output,
      kind: 'workflow',
      type: 'build.finished',
      source: 'devcycle.workflow.telling-agents',
      subject: run.id,
      workflowrun: run.id,
      conversation: 'c',
      data: { n: 7 },
    })
    await api.post('/mailboxes/box/ack', { ids: [first.id] }, { key: box.token })
    expect((await box.mail()).type).toBe('again')
    const received = (await api.post('/queues/chores/receive', { max: 1 })).body.messages
    expect(received[0].message).toMatchObject({ type: 'work.came', workflowrun: run.id })
    const listed = (await api.get('/messages?kind=workflow')).body.items
    expect(listed.map(({ workflowRun }: { workflowRun: string }) => workflowRun)).toEqual([run.id, run.id, run.id])
  })

  it('on a topic is a message as any other', async () => {
    const topic = 'told-on-a-topic'
    await api.post('/queues', { name: topic })
    const subscription = { topic, pattern: { kind: ['workflow'] }, target: { queue: topic } }
    expect((await api.post('/subscriptions', subscription)).status).toBe(201)
    const definition = `
workflow: telling-a-topic
steps: [{ name: told, kind: message, topic: ${topic}, type: build.finished, body: { n: 1 } }]
output: '{% $told.id %}'
`
    const run = await ended(await startOf(definition))
    const sent = { kind: 'workflow', to: { topic }, type: 'build.finished', workflowRun: run.id, data: { n: 1 } }
    expect(await api.get(`/messages/${run.output}`)).toMatchObject({ status: 200, body: sent })
    await eventually(async () => {
      const [received] = (await api.post(`/queues/${topic}/receive`, { max: 1 })).body.messages
      expect(received.message).toMatchObject({ id: run.output, kind: 'workflow', topic })
    })
  })

  it('fails its step when nobody is there, so that the run can do something else', async () => {
    const run = await ended(
      await startOf(`
workflow: telling-nobody
steps:
  - name: told
    kind: message
    to: { agent: no-such-agent }
    type: x
    catch: [{ errors: [NOT_FOUND], steps: [{ name: instead, kind: set, value: '{% $toldError.cause %}' }] }]
output: '{% $instead %}'
`),
    )
    expect(run).toMatchObject({ state: 'SUCCEEDED', output: 'there is no agent no-such-agent' })
  })

  it('has passed what a message did that the run waited for, so that circles through runs end', async () => {
    const start = await startOf(`
workflow: ball
steps:
  - { name: came, kind: waitForEvent, topic: ball.there }
  - { name: back, kind: message, topic: ball.here, type: hit }
`)
    await eventually(async () => expect((await why(start)).steps).toMatchObject([{ code: 'WAITING_FOR_EVENT' }]))
    const hops = Array.from({ length: 15 }, (_, at) => (at % 2 === 0 ? 'ball.here' : 'ball.there'))
    const hit = { to: { topic: 'ball.there' }, type: 'hit', hops }
    expect((await api.post('/messages', hit)).status).toBe(202)
    const cause = expect.stringContaining('ball.here → ball.there → ball.here')
    expect(await ended(start)).toMatchObject({ state: 'FAILED', error: 'HOP_LIMIT', cause })
  })

  it('makes whoever handles it one of the run, who shares its state and tells others of the run', async () => {
    const hand = await anAgent('hand', { messages: [{ type: 'begin' }] })
    const other = await anAgent('other')
    const id = await startOf(`
workflow: handled
steps:
  - { name: begun, kind: message, to: { agent: hand }, type: begin }
  - { name: stuck, kind: task, capability: nobody.offers.this }
`)
    const task = await hand.lease()
    expect(task).toMatchObject({ capability: 'message:begin', workflowRun: id })
    const held = { task: task.taskId, fence: task.fence }
    const put = await api.request('PUT', `/runs/${id}/state/x`, { body: { value: 1, ...held }, key: hand.token })
    expect(put.status).toBe(200)
    expect((await api.get(`/tasks?workflowRun=${id}`)).body.items).toContainEqual(
      expect.objectContaining({ id: task.taskId, workflowRun: id }),
    )
    const message = { kind: 'workflow', to: { agent: 'other' }, type: 'next', workflowRun: id }
    const send = (body: object) => api.post('/messages', body, { key: hand.token })
    expect((await send(message)).body.code).toBe('FORBIDDEN')
    expect((await send({ ...message, ...held, fence: '0.1' })).body.code).toBe('STALE_FENCE')
    expect((await send({ ...message, kind: 'event' })).status).toBe(422)
    expect((await send({ ...message, ...held })).status).toBe(202)
    expect(await other.mail()).toMatchObject({ type: 'next', kind: 'workflow', workflowrun: id })
    await api.post(`/runs/${id}/stop`)
    await ended(id)
    expect((await api.post('/messages', message)).body.code).toBe('ALREADY_FINISHED')
  })
})

const asking = (name: string, more = '') => `
workflow: asking-${name}
steps:
  - name: asked
    kind: request
    to: { agent: ${name} }
    type: price.wanted
    body: { of: '{% $input %}' }
${more}
output: '{% $asked.data %}'
`

describe('a request of a run', () => {
  it('waits for the response, tells who keeps it waiting, and hands it on', async () => {
    const clerk = await anAgent('clerk')
    const id = await startOf(asking('clerk'), 'tea')
    const request = await clerk.mail()
    expect(request).toMatchObject({ kind: 'request', type: 'price.wanted', workflowrun: id, data: { of: 'tea' } })
    const step = await eventually(async () => {
      const [first] = (await why(id)).steps
      expect(first).toMatchObject({ name: 'asked', code: 'WAITING_FOR_RESPONSE' })
      return first
    })
    expect(step.message).toContain(`request ${request.id} until`)
    expect(step.message).toContain('agent clerk has it in its mailbox')
    expect((await api.get(`/runs/${id}`)).body.steps[0]).toMatchObject({ state: 'RUNNING', message: request.id })
    await api.post(`/messages/${request.id}/reply`, { data: { price: 3 } }, { key: clerk.token })
    expect(await ended(id)).toMatchObject({ state: 'SUCCEEDED', output: { price: 3 } })
  })

  it('is handled by a task of the agent, whose failure is that of the step', async () => {
    const maker = await anAgent('maker', {
      messages: [{ type: 'price.wanted' }],
      configuration: { retry: { attempts: 1 } },
    })
    const id = await startOf(asking('maker'), 'milk')
    const task = await maker.lease()
    await eventually(async () =>
      expect((await why(id)).steps[0].message).toContain(`handles it by task ${task.taskId}`),
    )
    await api.post(`/tasks/${task.taskId}/complete`, { fence: task.fence, result: { price: 4 } }, { key: maker.token })
    expect(await ended(id)).toMatchObject({ state: 'SUCCEEDED', output: { price: 4 } })

    const failing = await startOf(asking('maker'), 'coal')
    const other = await maker.lease()
    const failure = { fence: other.fence, code: 'NO_PRICE', message: 'coal has none', retryable: false }
    await api.post(`/tasks/${other.taskId}/fail`, failure, { key: maker.token })
    expect(await ended(failing)).toMatchObject({ state: 'FAILED', error: 'NO_PRICE', cause: 'coal has none' })
  })

  it('fails with NO_RESPONSE when its time is over, and a late response changes nothing', async () => {
    const mute = await anAgent('mute')
    const id = await startOf(
      asking(
        'mute',
        '    timeout: 1s\n    catch: [{ errors: [NO_RESPONSE], steps: [{ name: silence, kind: set, value: { data: none } }] }]',
      ),
    )
    const run = await ended(id)
    expect(run).toMatchObject({ state: 'SUCCEEDED', output: 'none' })
    const asked = run.steps.find(({ name }: { name: string }) => name === 'asked')
    expect(asked).toMatchObject({ state: 'FAILED', error: 'NO_RESPONSE' })
    expect(asked.cause).toContain('agent mute did not answer request')
    await api.post(`/messages/${asked.message}/reply`, { data: 1 }, { key: mute.token })
    expect((await api.get(`/messages/${asked.message}`)).body.response).toMatchObject({ late: true })
    expect((await api.get(`/runs/${id}`)).body.output).toBe('none')
  })

  it('is taken back when the run is stopped, with the task that handles it', async () => {
    const slow = await anAgent('slow', { messages: [{ type: 'price.wanted' }] })
    const id = await startOf(asking('slow'))
    const task = await slow.lease()
    await eventually(async () => expect((await why(id)).steps[0].code).toBe('WAITING_FOR_RESPONSE'))
    await api.post(`/runs/${id}/stop`)
    expect(await ended(id)).toMatchObject({ state: 'STOPPED' })
    expect((await api.get(`/tasks/${task.taskId}`)).body.status).toBe('CANCELLED')
    const quiet = await anAgent('quiet')
    const other = await startOf(asking('quiet'))
    const request = await quiet.mail()
    await eventually(async () => expect((await why(other)).steps[0].code).toBe('WAITING_FOR_RESPONSE'))
    await api.post(`/runs/${other}/stop`)
    await ended(other)
    const [letter] = (await api.get(`/messages/${request.id}`)).body.letters
    expect(letter).toMatchObject({ state: 'DEAD', reason: { code: 'WITHDRAWN' } })
  })

  it('names the agent that has disappeared', async () => {
    const gone = await anAgent('gone')
    const id = await startOf(asking('gone'))
    await gone.mail()
    await api.request('DELETE', '/agents/gone')
    await eventually(async () => expect((await why(id)).steps[0].message).toContain('agent gone is gone'))
    await api.post(`/runs/${id}/stop`)
  })
})
