import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anApi, type TestApi } from '#test/support/api.ts'
import { aRowWorker } from '#test/support/row-worker.ts'
import { workflowRuns } from '#test/support/workflow-runs.ts'

let api: TestApi
let worker: Awaited<ReturnType<typeof aRowWorker>>
beforeAll(async () => {
  api = await anApi()
  worker = await aRowWorker(api, 'hand', ['echo', 'fail'], (input, { capability }) =>
    capability === 'echo' ? { result: input } : { fails: { code: 'BROKEN', message: 'it is so' } },
  )
})
afterAll(async () => {
  await worker?.stop()
  await api?.close()
})
const { outcome } = workflowRuns(() => api)
const vote = (workflow: string, voters: string, more: string) =>
  `workflow: ${workflow}\nsteps: [{ name: v, kind: vote, quorum: 1, voters: [${voters}], ${more} }]`

describe('a vote', () => {
  const echoes = '{ capability: echo, input: a }, { capability: echo, input: b }'
  const brokenInput = "{ capability: echo, input: '{% 1/0 %}' }, { capability: echo, input: b }"
  it.concurrent.each([
    ['number', echoes, "ballot: '{% 1/0 %}'", /^the ballot of v_[12]: the expression 1\/0 failed: /],
    ['nothing', echoes, "ballot: '{% $states.result.zz %}'", /^the ballot of v_[12]: .+ failed: it gives nothing/],
    ['input', brokenInput, "ballot: '{% 1 %}'", /^the input or ballot of v_1: the expression 1\/0 failed: /],
  ])('whose expressions fail, fails with that: %s', async (name, voters, more, cause) => {
    const run = await outcome(vote(`broken-${name}`, voters, more))
    expect(run).toMatchObject({
      state: 'FAILED',
      error: 'States.QueryEvaluationError',
      cause: expect.stringMatching(cause),
    })
    expect(JSON.stringify(run)).not.toContain('\\"cast\\"')
  })

  it.concurrent('counts nothing for a voter whose task fails', async () => {
    const run = await outcome(vote('one-fails', '{ capability: fail }, { capability: echo, input: b }', 'timeout: 1m'))
    expect(run).toMatchObject({ state: 'SUCCEEDED', output: { choice: 'b', votes: 1, of: 2, ballots: ['b'] } })
  })
})

describe('a race', () => {
  it('that every branch has lost tells why each', async () => {
    const run = await outcome(`
workflow: lost
steps:
  - name: r
    kind: race
    branches:
      one: [{ name: a, kind: task, capability: fail }]
      other: [{ name: b, kind: set, value: '{% 1/0 %}' }]
      third: [{ name: c, kind: fail, error: NOT_CLEAN }]
`)
    const broken = 'States.QueryEvaluationError: the expression 1/0 failed: '
    expect(run).toMatchObject({ state: 'FAILED', error: 'RACE_LOST' })
    expect(run.cause).toContain(`every branch of r failed: one: BROKEN: it is so; other: ${broken}`)
    expect(run.cause).toMatch(/; third: NOT_CLEAN$/)
  })
})
