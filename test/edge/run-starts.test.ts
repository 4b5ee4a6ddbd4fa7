import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { publish } from '#shared/domain/topics/publish.ts'
import { anApi, type TestApi } from '#test/support/api.ts'
import { eventually } from '#test/support/eventually.ts'
import { aHook } from '#test/support/hooks.ts'

let api: TestApi
beforeAll(async () => {
  api = await anApi()
})
afterAll(() => api?.close())

const by = { actor: 'test', action: 'test', request: 'test' }
const publishOn = (topic: string, id: string, data: unknown) => {
  const envelope = { id, source: 'test', type: 'thing.happened', time: Date.now() }
  return publish(api.platform, 'default', { topic, envelope, data }, by)
}
/** A workflow that answers its input, if that has an `n`. */
const anEcho = async (more = ''): Promise<string> => {
  const name = `echo-${randomUUID()}`
  const input = 'input: { type: object, required: [n], properties: { n: { type: number } } }'
  const definition = `workflow: ${name}\n${input}\nsteps: [${more}{ name: told, kind: set, value: '{% $input.n %}' }]`
  expect((await api.post('/workflows', { definition })).status).toBe(201)
  return name
}
const stuck = '{ name: stuck, kind: approval, prompt: wait }, '
type Shown = { id: string; state: string; output?: unknown }
const runsOf = async (workflow: string): Promise<Shown[]> => (await api.get(`/runs?workflow=${workflow}`)).body.items
const subscribe = (topic: string, target: object, more: object = {}) =>
  api.post('/subscriptions', { topic, target, ...more })
const deadOf = async (subscription: string) =>
  (await api.get(`/subscriptions/${subscription}/matches?state=DEAD`)).body.items

describe('a message that a subscription matches', () => {
  it('starts a run with its data, one however often it comes', async () => {
    const [workflow, topic] = [await anEcho(), `t-${randomUUID()}`]
    await subscribe(topic, { workflow }, { pattern: { data: { n: [{ numeric: ['>', 1] }] } } })
    await publishOn(topic, 'm-1', { n: 1 })
    for (let again = 0; again < 3; again++) await publishOn(topic, 'm-2', { n: 2 })
    await publishOn(topic, 'm-3', { n: 3 })
    await eventually(async () =>
      expect((await runsOf(workflow)).map(({ state, output }) => [state, output]).sort()).toEqual([
        ['SUCCEEDED', 2],
        ['SUCCEEDED', 3],
      ]),
    )
  })

  it('ends a circle of runs and messages, and names it', async () => {
    const [workflow, topic] = [`circle-${randomUUID()}`, `t-${randomUUID()}`]
    const definition = `workflow: ${workflow}\nsteps: [{ name: told, kind: message, topic: ${topic}, type: t, body: { n: 1 } }]`
    expect((await api.post('/workflows', { definition })).status).toBe(201)
    await subscribe(topic, { workflow })
    await publishOn(topic, 'first', { n: 1 })
    await eventually(async () => {
      const runs = await runsOf(workflow)
      expect(runs.map(({ state }) => state).filter((state) => state === 'FAILED')).toHaveLength(1)
      expect(runs).toHaveLength(16)
      const { error, cause } = (await api.get(`/runs/${runs.find(({ state }) => state === 'FAILED')?.id}`)).body
      expect([error, cause]).toEqual(['HOP_LIMIT', expect.stringContaining(`goes round in ${topic} → ${topic}`)])
    })
  })

  it('is a dead letter with its reason when it does not fit the workflow, and starts no run', async () => {
    const [workflow, topic] = [await anEcho(), `t-${randomUUID()}`]
    const { id } = (await subscribe(topic, { workflow })).body
    await publishOn(topic, 'm-1', { x: 1 })
    const [dead] = await eventually(async () => {
      const items = await deadOf(id)
      expect(items).toHaveLength(1)
      return items
    })
    expect(dead.reason).toMatchObject({ code: 'INVALID', message: expect.stringContaining('input schema of workflow') })
    expect(await runsOf(workflow)).toEqual([])
  })

  it('can be handed on whole, to a version', async () => {
    const name = `whole-${randomUUID()}`
    const save = (value: string) =>
      api.post('/workflows', { definition: `workflow: ${name}\nsteps: [{ name: told, kind: set, value: ${value} }]` })
    await save("'{% $input.type %}'")
    await save('second')
    const topic = `t-${randomUUID()}`
    await subscribe(topic, { workflow: name, version: '1', input: 'event' })
    await publishOn(topic, 'm-1', {})
    await eventually(async () => expect(await runsOf(name)).toMatchObject([{ version: 1, output: 'thing.happened' }]))
  })

  it('needs a workflow that is there, and fields that go with it', async () => {
    const workflow = await anEcho()
    expect((await subscribe('x', { workflow: 'no-such' })).body.errors[0].pointer).toBe('#/target/workflow')
    expect((await subscribe('x', { workflow, labels: { a: 'b' } })).status).toBe(422)
    expect((await subscribe('x', { capability: 'a', version: '1' })).status).toBe(422)
  })
})

describe('a webhook of another system', () => {
  it('starts a run for each delivery, one however often it is sent', async () => {
    const [workflow, topic] = [await anEcho(), `hooked-${randomUUID()}`]
    await subscribe(topic, { workflow })
    const { send } = await aHook(api, { topic })
    const id = randomUUID()
    for (let again = 0; again < 3; again++) await send({ type: 'order.paid', n: 5 }, { id })
    await send({ type: 'order.paid', n: 6 })
    await eventually(async () => expect((await runsOf(workflow)).map(({ output }) => output).sort()).toEqual([5, 6]))
  })
})

describe('a schedule of a workflow', () => {
  const aYear = { everySeconds: 31_536_000 }
  const create = async (workflow: string, more: object = {}) =>
    (await api.post('/schedules', { rate: aYear, run: { workflow, input: { n: 7 } }, ...more })).body.id as string
  const start = async (id: string, key?: string) =>
    (
      await api.post(
        `/schedules/${id}/run`,
        undefined,
        key === undefined ? {} : { headers: { 'idempotency-key': key } },
      )
    ).body
  const get = async (id: string) => (await api.get(`/schedules/${id}`)).body

  it('starts a run when it is time, and tells which', async () => {
    const workflow = await anEcho()
    const at = new Date(Date.now() + 1500).toISOString()
    const id = (await api.post('/schedules', { at, run: { workflow, input: { n: 7 } } })).body.id
    await eventually(async () => expect(await runsOf(workflow)).toMatchObject([{ state: 'SUCCEEDED', output: 7 }]))
    const [run] = await runsOf(workflow)
    await eventually(async () =>
      expect(await get(id)).toMatchObject({
        state: 'ENDED',
        run: { workflow, input: { n: 7 } },
        last: { outcome: 'STARTED', run: run?.id },
      }),
    )
  })

  it('starts one under a key however often, and skips while the run before goes on', async () => {
    const workflow = await anEcho(stuck)
    const id = await create(workflow)
    const made = await Promise.all([start(id, 'a'), start(id, 'a')])
    expect(made[0]).toMatchObject({ outcome: 'STARTED', run: expect.stringMatching(/^run_/) })
    expect(made[1]).toEqual(made[0])
    const skipped = { outcome: 'SKIPPED', message: `run ${made[0].run} of the start before has not ended` }
    expect(await start(id)).toMatchObject(skipped)
    expect(await runsOf(workflow)).toHaveLength(1)
  })

  it('waits for the end of the run before, where starts are queued', async () => {
    const workflow = await anEcho(stuck)
    const id = await create(workflow, { overlap: 'queue' })
    const { run } = await start(id)
    expect(await start(id)).toMatchObject({ outcome: 'QUEUED' })
    await api.post(`/runs/${run}/stop`)
    await eventually(async () => expect(await runsOf(workflow)).toHaveLength(2))
    await eventually(async () => expect((await get(id)).last.run).not.toBe(run))
  })

  it('stops the run before, where the schedule says so', async () => {
    const workflow = await anEcho(stuck)
    const id = await create(workflow, { overlap: 'cancel-previous' })
    const first = await start(id)
    const second = await start(id)
    expect(second.run).not.toBe(first.run)
    await eventually(async () => expect((await api.get(`/runs/${first.run}`)).body.state).toBe('STOPPED'))
    expect((await api.get(`/runs/${second.run}`)).body.state).toBe('RUNNING')
  })

  it('is refused when the workflow is not there, or does not take the input, and may become one of a task', async () => {
    const workflow = await anEcho()
    const refused = await api.post('/schedules', { rate: aYear, run: { workflow: 'no-such' } })
    expect(refused).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } })
    const misfit = await api.post('/schedules', { rate: aYear, run: { workflow, input: { n: 'x' } } })
    expect(misfit.body.errors[0].pointer).toBe('#/run/input/n')
    const both = await api.post('/schedules', { rate: aYear, run: { workflow }, task: { capability: 'x' } })
    expect(both.status).toBe(422)
    const id = await create(workflow)
    const patched = await api.request('PATCH', `/schedules/${id}`, { body: { task: { capability: 'x', input: 1 } } })
    expect(patched.body).toMatchObject({ task: { capability: 'x', input: 1 } })
    expect(patched.body.run).toBeUndefined()
    expect((await start(id)).task).toMatch(/^tsk_/)
  })
})
