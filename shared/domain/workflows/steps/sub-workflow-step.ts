import type { Platform } from '../../../platform/platform.ts'
import { DomainError } from '../../domain-error.ts'
import { callerOfRun, isOver, type Run } from '../run.ts'
import { findRun, runPk } from '../run-store.ts'
import { mostInputBytes, startRun } from '../start-run.ts'
import { endStep, type StepOutcome } from './end-step.ts'
import { keptAs, loadOutline } from './small-fields.ts'
import type { Asked, Begun, StepPorts } from './step-command.ts'
import type { StepTools } from './task-step.ts'
import { textOf } from './text-of.ts'
import { wholeOf } from './whole-of.ts'

/** Workflows that start each other are a loop from here on. */
const maxDepth = 20

/** Starts the run of another workflow; one that nothing waits for is done with that. */
export const beginChild = async (
  ports: StepPorts,
  run: Run,
  { id, token, step }: Asked,
  { checkInput }: StepTools,
): Promise<Begun> => {
  const depth = await depthOf(ports, run)
  if (depth >= maxDepth)
    throw new DomainError(
      'HOP_LIMIT',
      `run ${run.id} is ${depth} workflows deep; workflows that start each other end there`,
    )
  const found = await wholeOf(ports, run.tenant, step.input, mostInputBytes)
  const command = {
    workflow: String(step.workflow),
    ...(step.version !== undefined && { version: textOf(step.version, '#/version') }),
    input: found === undefined ? step.input : found.value, // what is larger stays a reference
    idempotencyKey: `${run.id} ${id}`,
    parent: { run: run.id, step: id },
    hops: run.hops,
  }
  const child = await startRun(ports, callerOfRun(run), command, checkInput)
  return { child: child.id, ...(token === undefined && { output: { run: child.id } }) }
}

const depthOf = async (ports: Pick<Platform, 'main'>, run: Run): Promise<number> => {
  let depth = 0
  let above: Run | undefined = run
  while (above?.parent !== undefined && depth < maxDepth) {
    depth += 1
    above = (await findRun(ports, run.tenant, above.parent.run))?.value
  }
  return depth
}

type Ports = Parameters<typeof endStep>[0]

/** A run that is over ends the step that waits for it. */
export const endChildStep = async (ports: Ports, run: Run): Promise<void> => {
  if (run.parent === undefined || !isOver(run)) return
  await endStep(ports, { tenant: run.tenant, run: run.parent.run, id: run.parent.step }, await outcomeOf(ports, run))
}

const outcomeOf = async (ports: Ports, run: Run): Promise<StepOutcome> => {
  const { tenant, id, output: body } = run
  if (run.state === 'SUCCEEDED')
    return { output: await loadOutline(ports, { tenant, pk: runPk(tenant, id), body }), ...keptAs(body) }
  return { error: run.error ?? run.state, cause: `run ${run.id} is ${run.state}${run.cause ? `: ${run.cause}` : ''}` }
}
