import type { Platform, Stored } from '../../../platform/platform.ts'
import { planBody } from '../../bodies/body.ts'
import { systemStamp } from '../../caller.ts'
import { digest } from '../../ids.ts'
import { endSubscription } from '../../topics/change-subscription.ts'
import type { RunStep } from '../run.ts'
import { changeStep, findStep, runPk } from '../run-store.ts'
import { fitting } from './joined-room.ts'
import { loadOutline } from './small-fields.ts'
import { takenItem } from './taken-event.ts'

type Ports = Pick<Platform, 'main' | 'objects' | 'workflows' | 'clock' | 'random' | 'telemetry'>

/**
 * How a step ended: with an output, which may be the outline of what is `kept` as an object, and may be the message whose id
 * is `event`, or with the name of an error.
 */
export type StepOutcome = { output: unknown; kept?: string; event?: string } | { error: string; cause?: string }
export type StepPlace = Pick<RunStep, 'tenant' | 'run' | 'id'>

/** Records how a step ended, once, and tells whoever waits for it; a repeated call tells the same again. */
export const endStep = async (ports: Ports, place: StepPlace, outcome: StepOutcome): Promise<void> => {
  const found = await findStep(ports, place)
  if (found === undefined) return
  const step = await recordEnd(ports, found, outcome)
  await answerToken(ports, step)
  if (step.subscription !== undefined) await endSubscription(ports, step.tenant, step.subscription)
}

/** The step with its outcome; one that has ended keeps what it has. */
export const recordEnd = async (ports: Ports, found: Stored<RunStep>, outcome: StepOutcome): Promise<RunStep> => {
  if (found.value.state !== 'RUNNING') return found.value
  const { tenant, run, id } = found.value
  const finishedAt = ports.clock.now()
  if ('error' in outcome)
    return changeStep(ports, found, (step) =>
      step.state === 'RUNNING' ? { ...step, ...outcome, state: 'FAILED', finishedAt } : step,
    )
  const value = await fitting(ports, found.value, outcome.output, outcome.kept)
  const sk = `output#${id}#${digest(value)}` // two outcomes at once are two rows, of which the record names one
  const place = { tenant, pk: runPk(tenant, run), sk, stamp: systemStamp('run.step') }
  const { body, items } = await planBody(ports, { ...place, value })
  for (const item of items) await ports.main.write({ op: 'put', item, expect: 'any' })
  const taken = outcome.event === undefined ? [] : [takenItem(found.value, outcome.event)]
  const succeed = (step: RunStep): RunStep =>
    step.state === 'RUNNING' ? { ...step, state: 'SUCCEEDED', output: body, finishedAt } : step
  return changeStep(ports, found, succeed, taken)
}

/** Tells whoever waits for a step how it ended. A token that was answered, or whose run has ended, is nobody's concern. */
export const answerToken = async (ports: Ports, step: RunStep): Promise<void> => {
  const { token, tenant, run, state, error, cause } = step
  if (token === undefined) return
  const answer =
    state === 'SUCCEEDED'
      ? await ports.workflows.succeed(
          token,
          await loadOutline(ports, { tenant, pk: runPk(tenant, run), body: step.output }),
        )
      : await ports.workflows.fail(token, { error: error ?? state, cause })
  if (!answer.ok)
    ports.telemetry.log('debug', 'the step of a run waited no more', { run, step: step.name, reason: answer.reason })
}
