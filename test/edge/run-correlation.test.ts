import { afterAll, beforeAll, expect, it } from 'vitest'
import { anApi, type TestApi } from '#test/support/api.ts'
import { workflowRuns } from '#test/support/workflow-runs.ts'

let api: TestApi
beforeAll(async () => {
  api = await anApi()
})
afterAll(() => api?.close())

const { outcome } = workflowRuns(() => api)

it.each([
  ['{ x: 1 }', '#/correlation/id: expected a string'],
  ['[1]', '#/correlation/id: expected a string'],
  ['\'{% $pad("x", 3000) %}\'', '#/correlation: a pattern has 2048 characters at most'],
])('a correlation that cannot be used fails its step by the field of the step: %s', async (id, cause) => {
  const step = `{ name: a, kind: waitForEvent, topic: t, correlation: { id: ${id} } }`
  const run = await outcome(`workflow: waits\nsteps: [${step}]`)
  expect(run).toMatchObject({ state: 'FAILED', error: 'INVALID', cause: expect.stringMatching(`^${cause}`) })
})
