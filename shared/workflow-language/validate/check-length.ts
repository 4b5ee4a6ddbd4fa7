import type { Definition, Step } from '#shared/contracts/workflows/definition.ts'
import { eventsOf, flowEvents, isCounted, mostEvents, undoEvents } from '../events.ts'
import { type Finding, type Path, warning } from '../problem.ts'
import { blocksOf } from '../steps.ts'

/** Loops and maps that may have more events than an execution: the run would fail in the midst of them. */
export const checkLength = ({ steps }: Definition): Finding[] => [
  ...lengthsOf(steps, ['steps'], { inFlow: true, inLoop: false }),
  ...undoingOf(steps, ['steps']),
]

/** Each time that a step completed is undone by itself, all of them in one execution. */
const undoingOf = (steps: Step[], path: Path): Finding[] =>
  steps.flatMap((step, at) => {
    const most = undoEvents([step])
    if (most <= mostEvents) return []
    const message = `to undo it may have some ${most} events, and an execution has ${mostEvents}: undo all rounds by one step behind the loop, or repeat it fewer times`
    return [warning('TOO_LONG', [...path, at], message)]
  })

/** In the flow of the run, where a loop goes on in further executions, and within such a loop. */
type Place = { inFlow: boolean; inLoop: boolean }

const lengthsOf = (steps: Step[], path: Path, place: Place): Finding[] =>
  steps.flatMap((step, at) => {
    const here = [...path, at]
    const inLoop = place.inLoop || (place.inFlow && isCounted(step))
    const inner = blocksOf(step).flatMap(({ role, path: within, steps: some }) => {
      const inFlow = place.inFlow && (role === 'flow' || role === 'catch')
      return lengthsOf(some, [...here, ...within], { inFlow, inLoop })
    })
    return [...lengthOf(step, here, place), ...inner]
  })

const lengthOf = (step: Step, path: Path, { inFlow, inLoop }: Place): Finding[] => {
  if (step.kind === 'repeat') return inFlow && isCounted(step) ? roundOf(step, path) : loopOf(step, path)
  if (step.kind !== 'map' || step.distributed) return []
  if (Array.isArray(step.items)) return mapOf(step, step.items, path)
  return inLoop && !inFlow ? [uncounted(path)] : []
}

const uncounted = (path: Path): Finding =>
  warning(
    'TOO_LONG',
    [...path, 'items'],
    'nobody counts its items here, so that the loop around it may have more events than an execution: put the map among the steps of the loop itself, or map with distributed: true',
  )

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

const mapOf = (step: Step, items: unknown[], path: Path): Finding[] => {
  const most = eventsOf(step)
  if (most <= mostEvents) return []
  const message = `${items.length} items have some ${most} events, and an execution has ${mostEvents}: map with distributed: true, or over lists of them in a subWorkflow each`
  return [warning('TOO_LONG', [...path, 'items'], message)]
}
