import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anApi, type TestApi } from '#test/support/api.ts'
import { eventually } from '#test/support/eventually.ts'

let api: TestApi
beforeAll(async () => {
  api = await anApi()
})
afterAll(() => api?.close())

const startOf = async (definition: string): Promise<string> => {
  const { status, body } = await api.post('/workflows', { definition })
  if (status >= 300) throw new Error(JSON.stringify(body))
  return (await api.post(`/workflows/${body.name}/runs`, {})).body.id
}
const ended = (id: string) =>
  eventually(async () => {
    const { body } = await api.get(`/runs/${id}`)
    expect(body.state).not.toBe('RUNNING')
    return body
  })
const publish = async (topic: string, data: object) => {
  const { status } = await api.post('/messages', { to: { topic }, type: 'answer', data })
  expect(status).toBe(202)
}
const waitsAt = (id: string, step: string, times = 1) =>
  eventually(async () => {
    const { steps } = (await api.get(`/runs/${id}`)).body
    const waiting = steps.filter((one: { name: string }) => one.name === step)
    expect(waiting).toHaveLength(times)
    expect(waiting.at(-1)).toMatchObject({ state: 'RUNNING' })
  })

describe('an event that is for a run by its correlation', () => {
  it('ends the step that waits for it also when it came before that', async () => {
    const id = await startOf(`
workflow: late-to-wait
steps:
  - { name: first, kind: waitForEvent, topic: gates, correlation: { run: '{% $run.id %}' } }
  - { name: second, kind: waitForEvent, topic: answers, correlation: { run: '{% $run.id %}' }, timeout: 20 }
output: '{% $second.data.n %}'
`)
    await waitsAt(id, 'first')
    await publish('answers', { run: 'another', n: 0 })
    await publish('answers', { run: id, n: 1 })
    await publish('answers', { run: id, n: 2 })
    await publish('gates', { run: id })
    expect(await ended(id)).toMatchObject({ state: 'SUCCEEDED', output: 1 })
  })

  it('is waited for as long as the run is: nobody takes its subscription away', async () => {
    const id = await startOf(`
workflow: held
steps: [{ name: gate, kind: waitForEvent, topic: held-gates }]
`)
    await waitsAt(id, 'gate')
    const sub = await eventually(async () => {
      const { items } = (await api.get('/subscriptions')).body
      return items.find(({ topic }: { topic: string }) => topic === 'held-gates').id
    })
    const { status, body } = await api.request('DELETE', `/subscriptions/${sub}`)
    expect(status).toBe(409)
    expect(body.detail).toBe(
      `step gate of run ${id} waits for it (${sub}); to end that, stop the run: devcycle runs stop ${id}`,
    )
    await api.post(`/runs/${id}/stop`)
    await ended(id)
    expect((await api.get(`/subscriptions/${sub}`)).status).toBe(404)
  })

  it('ends one step of the run: the next round waits for another', async () => {
    const id = await startOf(`
workflow: rounds-of-answers
steps:
  - { name: gate, kind: waitForEvent, topic: gates, correlation: { run: '{% $run.id %}' } }
  - name: rounds
    kind: repeat
    atMost: 2
    until: '{% false %}'
    onLimit: continue
    steps: [{ name: answer, kind: waitForEvent, topic: answers, correlation: { run: '{% $run.id %}' } }]
output: '{% $rounds.data.n %}'
`)
    await waitsAt(id, 'gate')
    await publish('answers', { run: id, n: 1 })
    await publish('gates', { run: id })
    await waitsAt(id, 'answer', 2)
    await publish('answers', { run: id, n: 2 })
    expect(await ended(id)).toMatchObject({ state: 'SUCCEEDED', output: 2 })
  })

  it('is none that the run has sent itself, and may be one that its own came back as', async () => {
    expect((await api.post('/subscriptions', { topic: 'calls', target: { topic: 'echoes' } })).status).toBe(201)
    const id = await startOf(`
workflow: hears-echoes
steps:
  - { name: called, kind: message, topic: calls, type: call, body: { run: '{% $run.id %}' } }
  - { name: echo, kind: waitForEvent, topic: echoes, correlation: { run: '{% $run.id %}' }, timeout: 20 }
  - { name: other, kind: waitForEvent, topic: calls, correlation: { run: '{% $run.id %}' } }
output: '{% $other.data.by %}'
`)
    await waitsAt(id, 'other')
    await publish('calls', { run: id, by: 'somebody' })
    expect(await ended(id)).toMatchObject({ state: 'SUCCEEDED', output: 'somebody' })
  })
})

describe('an event that says nothing of a run', () => {
  it('ends no step that begins to wait after it', async () => {
    const id = await startOf(`
workflow: waits-for-the-next
steps:
  - { name: first, kind: waitForEvent, topic: gates, correlation: { run: '{% $run.id %}' } }
  - { name: next, kind: waitForEvent, topic: deployments }
output: '{% $next.data.n %}'
`)
    await waitsAt(id, 'first')
    await publish('deployments', { n: 1 })
    await publish('gates', { run: id })
    await waitsAt(id, 'next')
    await publish('deployments', { n: 2 })
    expect(await ended(id)).toMatchObject({ state: 'SUCCEEDED', output: 2 })
  })
})
