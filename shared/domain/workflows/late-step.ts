import type { RunStep } from './run.ts'

/** How it is told that something took too long. */
export const tookLonger = (what: string, seconds: number): string => `${what} took longer than ${seconds} s`

/** Why a step fails whose time is over. */
export const whyLate = ({ name, startedAt, until }: RunStep): string | undefined =>
  until === undefined ? undefined : tookLonger(name, (until - startedAt) / 1000)

/** A step whose time is over. */
export const tooLate = (step: RunStep, finishedAt: number): RunStep => ({
  ...step,
  state: 'FAILED',
  error: 'TIMEOUT',
  cause: whyLate(step),
  finishedAt,
})

/** A step as it is at a time: when its own is over its machine has gone on without it, whoever has noted that. */
export const asOf = (step: RunStep, now: number): RunStep =>
  step.state === 'RUNNING' && step.until !== undefined && step.until <= now ? tooLate(step, step.until) : step

/** The step that took too long when a machine says at a time that one did: its time was over about then. */
export const lateOf = (steps: RunStep[], at: number): RunStep | undefined => {
  const distance = ({ until = Number.POSITIVE_INFINITY }: RunStep): number => Math.abs(until - at)
  const [first] = steps
    .filter(({ state, until }) => state !== 'SUCCEEDED' && until !== undefined)
    .sort((a, b) => distance(a) - distance(b))
  return first
}
