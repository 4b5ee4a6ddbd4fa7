import type { Definition, Step } from '#shared/contracts/workflows/definition.ts'
import { type Finding, type Path, warning } from '../problem.ts'
import { blocksOf, everyStep, isTimed } from '../steps.ts'

/** https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
const mostEvents = 25_000

/** Events of a state that does nothing but go on, of one that waits for the product, and of one with branches. */
const events = { own: 2, asked: 6, branched: 4, timer: 20 } as const
const ownKinds: Step['kind'][] = ['choice', 'wait', 'set', 'fail', 'repeat']
const branchedKinds: Step['kind'][] = ['parallel', 'map', 'race', 'vote']

const eventsOf = (step: Step): number => {
  const each = ownKinds.includes(step.kind)
    ? events.own
    : branchedKinds.includes(step.kind)
      ? events.branched
      : events.asked
  const voters = step.kind === 'vote' ? step.voters.length * events.asked : 0
  return each + voters + (isTimed(step) ? events.timer : 0) + eventsIn(step)
}

/** Those of the work of a step: of a choice the longest way, of a loop all rounds; a map has at least one item. */
const eventsIn = (step: Step): number => {
  const works = blocksOf(step).filter(({ role }) => role === 'flow' || role === 'inner')
  const sums = works.map(({ steps }) => steps.reduce((sum, one) => sum + eventsOf(one), 0))
  if (step.kind === 'choice') return Math.max(0, ...sums)
  const all = sums.reduce((sum, one) => sum + one, 0)
  return step.kind === 'repeat' ? step.atMost * (all + events.own) : all
}

/** Loops that may have more events than a run: it would fail in the midst of them. */
export const checkLength = ({ steps }: Definition): Finding[] =>
  everyStep(steps).flatMap(({ step, path }) => (step.kind === 'repeat' ? lengthOf(step, path) : []))

const lengthOf = (step: Extract<Step, { kind: 'repeat' }>, path: Path): Finding[] => {
  const most = eventsIn(step)
  if (most <= mostEvents) return []
  const rounds = Math.floor(mostEvents / (most / step.atMost))
  return [
    warning(
      'TOO_LONG',
      [...path, 'atMost'],
      `${step.atMost} rounds have some ${most} events, and a run has ${mostEvents}: put so many rounds into a subWorkflow, and repeat that, or repeat ${rounds} times at most`,
    ),
  ]
}
