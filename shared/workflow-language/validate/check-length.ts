import type { Definition, Step } from '#shared/contracts/workflows/definition.ts'
import { eventsOf, flowEvents, isCounted, mostEvents } from '../events.ts'
import { type Finding, type Path, warning } from '../problem.ts'
import { blocksOf } from '../steps.ts'

/** Loops and maps that may have more events than an execution: the run would fail in the midst of them. */
export const checkLength = ({ steps }: Definition): Finding[] => lengthsOf(steps, ['steps'], true)

/** `inFlow`: a loop goes on in further executions there. */
const lengthsOf = (steps: Step[], path: Path, inFlow: boolean): Finding[] =>
  steps.flatMap((step, at) => {
    const place = [...path, at]
    const inner = blocksOf(step).flatMap(({ role, path: within, steps: some }) =>
      lengthsOf(some, [...place, ...within], inFlow && (role === 'flow' || role === 'catch')),
    )
    return [...lengthOf(step, place, inFlow), ...inner]
  })

const lengthOf = (step: Step, path: Path, inFlow: boolean): Finding[] => {
  if (step.kind === 'repeat') return inFlow && isCounted(step) ? roundOf(step, path) : loopOf(step, path)
  return step.kind === 'map' && !step.distributed ? mapOf(step, path) : []
}

const loopOf = (step: Extract<Step, { kind: 'repeat' }>, path: Path): Finding[] => {
  const most = eventsOf(step)
  if (most <= mostEvents) return []
  const rounds = Math.floor(mostEvents / (most / step.atMost))
  return [
    warning(
      'TOO_LONG',
      [...path, 'atMost'],
      `${step.atMost} rounds have some ${most} events, and an execution has ${mostEvents}; a loop goes on in further ones where it is in no block with branches, items or a timeout: put it into a subWorkflow, or repeat ${rounds} times at most`,
    ),
  ]
}

const roundOf = ({ steps }: Extract<Step, { kind: 'repeat' }>, path: Path): Finding[] => {
  const most = flowEvents(steps, 'one')
  if (most <= mostEvents) return []
  const message = `one round may have some ${most} events, and an execution has ${mostEvents}: put parts of it into a subWorkflow`
  return [warning('TOO_LONG', [...path, 'steps'], message)]
}

const mapOf = (step: Extract<Step, { kind: 'map' }>, path: Path): Finding[] => {
  const most = eventsOf(step)
  if (!Array.isArray(step.items) || most <= mostEvents) return []
  const message = `${step.items.length} items have some ${most} events, and an execution has ${mostEvents}: map with distributed: true, or over lists of them in a subWorkflow each`
  return [warning('TOO_LONG', [...path, 'items'], message)]
}
