import { expect, it } from 'vitest'
import { loadBody } from '#shared/domain/bodies/body.ts'
import type { RunStep } from '#shared/domain/workflows/run.ts'
import { findStep, runPk, stepItem } from '#shared/domain/workflows/run-store.ts'
import { recordEnd } from '#shared/domain/workflows/steps/end-step.ts'
import { atOnce, scheduledPorts } from '#test/model/scheduled-ports.ts'

it('a step that ends twice at once keeps the output of the end that was recorded', async () => {
  const { ports } = scheduledPorts(atOnce)
  const place = { tenant: 'default', run: 'run_1', id: 's1' }
  const step: RunStep = { ...place, name: 'wait', kind: 'wait', state: 'RUNNING', startedAt: 1 }
  await ports.main.write({ op: 'put', item: stepItem(step), expect: 'any' })
  const found = await findStep(ports, place)
  if (found === undefined) throw new Error('the step is not there')
  const first = 'first'.repeat(200)
  await recordEnd(ports, found, { output: first })
  const { state, output } = await recordEnd(ports, found, { output: 'second'.repeat(200) })
  expect([state, await loadBody(ports, { tenant: 'default', pk: runPk('default', 'run_1'), body: output })]).toEqual([
    'SUCCEEDED',
    first,
  ])
})
