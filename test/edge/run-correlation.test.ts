import { afterAll, beforeAll, expect, it } from 'vitest'
import { anApi, type TestApi } from '#test/support/api.ts'
import { workflowRuns } from '#test/support/workflow-runs.ts'

let api: TestApi
beforeAll(async () => {
  api = await anApi()
})
afterAll(() => api?.close())

const { save, start, ended, outcome } = workflowRuns(() => api)
const waitingFor = (id: string): string =>
  `workflow: waits\nsteps: [{ name: a, kind: waitForEvent, topic: t, correlation: { id: ${id} } }]`
const ofInput = waitingFor("'{% $input %}'")

it.each([[{ x: 1 }], [[1]], [{ prefix: 'a' }], [{ exists: true }], [{ 'anything-but': ['a'] }], [[{ prefix: 'a' }]]])(
  'a correlation is matched as it is: one that the run makes %j fails its step',
  async (input) => {
    const cause = `#/correlation/id: expected a string, a number, true, false or null, which is matched as it is, not ${JSON.stringify(input)}`
    expect(await outcome(ofInput, input)).toMatchObject({ state: 'FAILED', error: 'INVALID', cause })
  },
)

it('a correlation that is too long fails its step by the field of the step', async () => {
  const run = await outcome(waitingFor('\'{% $pad("x", 3000) %}\''))
  const cause = expect.stringMatching('^#/correlation: a pattern has 2048 characters at most')
  expect(run).toMatchObject({ state: 'FAILED', error: 'INVALID', cause })
})

it.each([['{"prefix": "a"}'], [1.5], [true], [null]])('a correlation is %j by itself alone', async (input) => {
  const { id } = await start(await save(ofInput), input)
  for (const of of ['ab', input]) await api.post('/messages', { to: { topic: 't' }, type: 'x', data: { id: of } })
  expect(await ended(id)).toMatchObject({ state: 'SUCCEEDED', output: { data: { id: input } } })
})

it.each(['{ prefix: a }', '[a]', "{ prefix: '{% $input %}' }"])('a definition has no correlation %s', async (id) => {
  const { status, body } = await api.post('/workflows', { definition: waitingFor(id) })
  expect(status).toBe(422)
  expect(body.errors).toMatchObject([
    { pointer: '#/definition/steps/0/correlation/id', message: expect.stringContaining('operators stand in pattern') },
  ])
})
