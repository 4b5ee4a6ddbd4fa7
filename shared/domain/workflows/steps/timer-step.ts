import type { Key } from '../../../platform/platform.ts'
import type { Run } from '../run.ts'
import { runPk } from '../run-store.ts'
import { endStep } from './end-step.ts'
import type { Asked, Begun, StepPorts } from './step-command.ts'

/** Who came first: the timer of a block, by its step, or the end of the block. */
type Mark = { step?: string }

const keyOf = ({ tenant, id }: Run, { step }: Asked): Key => ({
  pk: runPk(tenant, id),
  sk: `timer#${String(step.timer)}`,
})

/** The mark that is there, which is the given one if none was. */
const markFirst = async (ports: StepPorts, run: Run, asked: Asked, mark: Mark): Promise<Mark> => {
  const item = { ...keyOf(run, asked), type: 'run-timer', value: mark }
  const outcome = await ports.main.write({ op: 'put', item, expect: 'absent' })
  if (outcome.ok) return mark
  return (await ports.main.get<Mark>(keyOf(run, asked)))?.value ?? mark
}

/** Runs until the block has ended, or its machine says that the time is over. */
export const beginTimer = async (ports: StepPorts, run: Run, asked: Asked): Promise<Begun> =>
  (await markFirst(ports, run, asked, { step: asked.id })).step === undefined ? { output: null } : {}

/** The block has ended in time: its timer is over, whichever of the two is heard of first. */
export const endTimer = async (ports: StepPorts, run: Run, asked: Asked): Promise<Begun> => {
  const { step } = await markFirst(ports, run, asked, {})
  if (step !== undefined) await endStep(ports, { tenant: run.tenant, run: run.id, id: step }, { output: null })
  return { output: null }
}
