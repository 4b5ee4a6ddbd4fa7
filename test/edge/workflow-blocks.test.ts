import { afterAll, beforeAll, expect, it } from 'vitest'
import { anApi, type TestApi } from '#test/support/api.ts'
import { eventually } from '#test/support/eventually.ts'
import { aRowWorker } from '#test/support/row-worker.ts'

let api: TestApi
let worker: Awaited<ReturnType<typeof aRowWorker>>
beforeAll(async () => {
  api = await anApi()
  worker = await aRowWorker(api, 'hand', ['echo'], (input) => ({ result: { said: input } }))
})
afterAll(async () => {
  await worker?.stop()
  await api?.close()
})

type Step = { name: string; index?: number; state: string; task?: string; approval?: string }

const start = async (definition: string): Promise<string> => {
  const { status, body } = await api.post('/workflows', { definition })
  if (status >= 300) throw new Error(JSON.stringify(body))
  return (await api.post(`/workflows/${body.name}/runs`, {})).body.id
}
const stepsOf = async (run: string, name: string): Promise<Step[]> => {
  const { steps } = (await api.get(`/runs/${run}`)).body as { steps: Step[] }
  return steps.filter((step) => step.name === name).sort((a, b) => (a.index ?? 0) - (b.index ?? 0))
}
const statesOf = async (run: string, name: string): Promise<string[]> =>
  (await stepsOf(run, name)).map(({ state }) => state)
const ended = (run: string) =>
  eventually(async () => {
    const { body } = await api.get(`/runs/${run}`)
    expect(['RUNNING', 'COMPENSATING']).not.toContain(body.state)
    return body
  })
const tasksOf = async (run: string, capability: string): Promise<string[]> => {
  const { items } = (await api.get(`/tasks?workflowRun=${run}&capability=${capability}`)).body
  return items.map(({ status }: { status: string }) => status)
}

it('a race that ends in one item of a map leaves those of the other items alone', async () => {
  const run = await start(`
workflow: races
steps:
  - name: everyone
    kind: map
    items: '{% [1, 2, 3] %}'
    steps:
      - name: contest
        kind: race
        branches:
          slow: [{ name: never, kind: task, capability: nobody.offers.this }]
          fast:
            - name: first
              kind: choice
              cases: [{ when: '{% $item = 1 %}', steps: [{ name: atOnce, kind: task, capability: echo }] }]
              otherwise: [{ name: asked, kind: approval, prompt: Go on? }]
output: '{% $everyone.branch %}'
`)
  await eventually(async () => expect(await statesOf(run, 'never')).toEqual(['ABANDONED', 'RUNNING', 'RUNNING']))
  const open = await eventually(async () => {
    const found = await stepsOf(run, 'asked')
    expect(found.map(({ state, approval }) => [state, typeof approval])).toEqual([
      ['RUNNING', 'string'],
      ['RUNNING', 'string'],
    ])
    return found
  })
  expect((await tasksOf(run, 'nobody.offers.this')).sort()).toEqual(['CANCELLED', 'QUEUED', 'QUEUED'])
  for (const { approval } of open) await api.post(`/approvals/${approval}/approve`, {})
  expect(await ended(run)).toMatchObject({ state: 'SUCCEEDED', output: ['fast', 'fast', 'fast'] })
  await eventually(async () => expect(await statesOf(run, 'never')).toEqual(Array(3).fill('ABANDONED')))
})

it('a race that ends in one round of a loop leaves the next round alone', async () => {
  const run = await start(`
workflow: rounds
steps:
  - name: again
    kind: repeat
    until: '{% $againRound >= 5 %}'
    atMost: 5
    steps:
      - name: contest
        kind: race
        branches:
          slow: [{ name: never, kind: task, capability: nobody.offers.this }]
          fast: [{ name: quick, kind: task, capability: echo }]
output: '{% $contest.branch %}'
`)
  expect(await ended(run)).toMatchObject({ state: 'SUCCEEDED', output: 'fast' })
  expect(await statesOf(run, 'quick')).toEqual(Array(5).fill('SUCCEEDED'))
  await eventually(async () => expect(await statesOf(run, 'never')).toEqual(Array(5).fill('ABANDONED')))
  expect(await tasksOf(run, 'nobody.offers.this')).toEqual(Array(5).fill('CANCELLED'))
})

it('what was caught in one item of a map ends nothing of the other items', async () => {
  const run = await start(`
workflow: caughtItems
steps:
  - name: everyone
    kind: map
    items: '{% [1, 2] %}'
    steps:
      - name: both
        kind: parallel
        branches:
          slow: [{ name: asked, kind: approval, prompt: Go on? }]
          fast:
            - name: first
              kind: choice
              cases: [{ when: '{% $item = 1 %}', steps: [{ name: wrong, kind: fail, error: WRONG }] }]
        catch: [{ errors: [WRONG], steps: [{ name: instead, kind: set, value: caught }] }]
output: '{% $everyone %}'
`)
  await eventually(async () => expect(await statesOf(run, 'asked')).toEqual(['ABANDONED', 'RUNNING']))
  const asked = await eventually(async () => {
    const [, one] = await stepsOf(run, 'asked')
    expect(one?.approval).toBeDefined()
    return one?.approval
  })
  await api.post(`/approvals/${asked}/approve`, { comment: 'yes' })
  expect(await ended(run)).toMatchObject({ state: 'SUCCEEDED', output: ['caught', { slow: { approved: true } }] })
})

it('a block that is tried again ends what the try before had begun', async () => {
  const run = await start(`
workflow: tries
steps:
  - name: both
    kind: parallel
    retry: { errors: [REJECTED], attempts: 3 }
    branches:
      left: [{ name: first, kind: approval, prompt: Go on? }]
      right: [{ name: second, kind: approval, prompt: Go on? }]
  - name: rest
    kind: map
    retry: { attempts: 2 }
    items: '{% [1] %}'
    steps: [{ name: one, kind: task, capability: echo, input: '{% $item %}' }]
output: { both: '{% $both.left.approved %}', rest: '{% $rest %}' }
`)
  const waiting = (name: string, tries: number) =>
    eventually(async () => {
      const found = (await stepsOf(run, name)).filter(({ approval }) => approval !== undefined)
      expect(found).toHaveLength(tries)
      return `/approvals/${found.at(-1)?.approval}`
    })
  for (const tries of [1, 2]) {
    const before = await waiting('first', tries)
    await api.post(`${await waiting('second', tries)}/reject`, {})
    await waiting('first', tries + 1)
    await eventually(async () =>
      expect(await statesOf(run, 'first')).toEqual([...Array(tries).fill('ABANDONED'), 'RUNNING']),
    )
    expect((await api.get(before)).body.state).toBe('CANCELLED')
  }
  for (const name of ['first', 'second']) await api.post(`${await waiting(name, 3)}/approve`, {})
  expect(await ended(run)).toMatchObject({ state: 'SUCCEEDED', output: { both: true, rest: [{ said: 1 }] } })
})
