import type { RetryRule, Step } from '#shared/contracts/workflows/definition.ts'
import { blocksOf, everyStep, hasTries, isTimed, outlives } from './steps.ts'

/** https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
export const mostEvents = 25_000

/** Events of a state that does nothing but go on, of one that waits for the product, of one with branches, and of parts of these. */
export const events = { own: 2, asked: 6, branched: 4, timer: 20, item: 2, branch: 7, undone: 8 } as const
const ownKinds: Step['kind'][] = ['choice', 'wait', 'set', 'fail', 'repeat']
const branchedKinds: Step['kind'][] = ['parallel', 'map', 'race', 'vote']

/** How often a step may be tried. */
export const triesOf = (step: Step): number => {
  const { retry } = step as { retry?: RetryRule | RetryRule[] }
  if (retry === undefined) return 1
  return [retry].flat().reduce((sum, { attempts = 3 }) => sum + attempts - 1, 1)
}

const sum = (numbers: number[]): number => numbers.reduce((all, one) => all + one, 0)

/** What the state of a step has itself, without its work. */
const ownEvents = (step: Step): number => {
  if (ownKinds.includes(step.kind)) return events.own
  if (!branchedKinds.includes(step.kind) || (step.kind === 'map' && step.distributed)) return events.asked
  const voters = step.kind === 'vote' ? step.voters.length * events.asked : 0
  const rivals = step.kind === 'race' ? Object.keys(step.branches).length * events.branch + 2 * events.asked : 0
  return events.branched + voters + rivals
}

/** What an item of a map has; one that maps within may look at is kept by a state of its own. */
export const itemEvents = ({ steps }: Extract<Step, { kind: 'map' }>): number => {
  const kept = everyStep(steps).some(({ step }) => step.kind === 'map') ? events.own : 0
  return events.item + kept + eventsOfAll(steps)
}

/** The most events that the work of a step has: of a choice the longest way, of a loop all rounds; a map whose list is not known yet has one item. */
const workEvents = (step: Step): number => {
  if (step.kind === 'map' && !step.distributed)
    return (Array.isArray(step.items) ? step.items.length : 1) * itemEvents(step)
  const works = blocksOf(step).filter(({ role }) => role === 'flow' || role === 'inner')
  const sums = step.kind === 'map' ? [] : works.map(({ steps }) => eventsOfAll(steps))
  if (step.kind === 'choice') return Math.max(0, ...sums)
  return step.kind === 'repeat' ? step.atMost * (sum(sums) + events.own) : sum(sums)
}

/** The most events that a step has when nothing fails. */
export const eventsOf = (step: Step): number => ownEvents(step) + workEvents(step) + (isTimed(step) ? events.timer : 0)
const eventsOfAll = (steps: Step[]): number => sum(steps.map(eventsOf))

/** A map over a list that the run alone knows. */
export const isUnknownMap = (step: Step): step is Extract<Step, { kind: 'map' }> =>
  step.kind === 'map' && !step.distributed && !Array.isArray(step.items)

/** A loop whose rounds are counted while they run. */
export const isCounted = (step: Step): step is Extract<Step, { kind: 'repeat' }> =>
  step.kind === 'repeat' && !isTimed(step)

/** Of each loop that is counted: none of its rounds, one, or as many as there may be. */
type Rounds = 'none' | 'one' | 'all'

/** The most events that steps of the flow have, whatever fails and is tried again. */
export const flowEvents = (steps: Step[], rounds: Rounds): number => sum(steps.map((step) => worstOf(step, rounds)))

const worstOf = (step: Step, rounds: Rounds): number => {
  const flows = blocksOf(step).filter(({ role }) => role === 'flow')
  const caught = blocksOf(step).filter(({ role }) => role === 'catch')
  const instead = Math.max(0, ...caught.map(({ steps }) => events.asked + flowEvents(steps, rounds)))
  if (isCounted(step)) {
    const times = { none: 0, one: 1, all: step.atMost }[rounds]
    return 2 * events.own + times * (flowEvents(step.steps, rounds) + events.own)
  }
  if (step.kind === 'choice')
    return 2 * events.own + Math.max(0, ...flows.map(({ steps }) => flowEvents(steps, rounds)))
  const tries = triesOf(step) * (eventsOf(step) + (hasTries(step) ? events.asked + events.branched : 0))
  return tries + (outlives(step) ? events.own : 0) + instead
}

/** What undoing has for steps, each as often as it may have completed. */
export const undoEvents = (steps: Step[]): number => sum(steps.map(undoOf))

const undoOf = (step: Step): number => {
  const own = 'compensate' in step && step.compensate ? events.undone + eventsOfAll(step.compensate) : 0
  const inner = sum(blocksOf(step).flatMap(({ role, steps }) => (role === 'compensate' ? [] : undoEvents(steps))))
  return own + inner * timesOf(step)
}

const timesOf = (step: Step): number => {
  if (step.kind === 'repeat') return step.atMost
  return step.kind === 'map' && Array.isArray(step.items) ? step.items.length : 1
}
