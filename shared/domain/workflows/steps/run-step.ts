import { DomainError } from '../../domain-error.ts'
import { isOver, type Run, type RunStep } from '../run.ts'
import { changeStep, findRun, findStep, stepItem } from '../run-store.ts'
import { abandonSteps } from './abandon-steps.ts'
import { beginApproval } from './approval-step.ts'
import { endStep } from './end-step.ts'
import { beginMessage, beginRequest } from './message-step.ts'
import { useState } from './state-step.ts'
import { type Asked, type Begun, parseStepCommand, type StepPorts } from './step-command.ts'
import { beginChild } from './sub-workflow-step.ts'
import { beginTask, type StepTools } from './task-step.ts'
import { beginWaitForEvent } from './wait-for-event-step.ts'

type Begin = (ports: StepPorts, run: Run, asked: Asked, tools: StepTools) => Promise<Begun>

const beginnings: Record<string, Begin> = {
  task: beginTask,
  batch: beginTask,
  approval: beginApproval,
  subWorkflow: beginChild,
  waitForEvent: beginWaitForEvent,
  message: beginMessage,
  request: beginRequest,
  state: useState,
  abandon: abandonSteps,
}

/**
 * Does what a state of a run asks for: begins it, and ends it at once where there is nothing to wait for. A repeated
 * delivery begins nothing twice. What is refused fails the step by the code of the refusal.
 */
export const runStep = async (ports: StepPorts, body: unknown, tools: StepTools): Promise<void> => {
  const asked = parseStepCommand(body)
  if (asked === undefined)
    return ports.telemetry.log('error', 'a command of a run could not be read and was dropped', { body })
  const run = (await findRun(ports, asked.tenant, asked.run))?.value
  if (run === undefined)
    return ports.telemetry.log('error', 'a command names a run that is not there', { run: asked.run })
  const step = await keepStep(ports, run, asked)
  if (step.state !== 'RUNNING') return endStep(ports, step, { output: null })
  if (isOver(run)) return endStep(ports, step, { error: 'RUN_OVER', cause: `run ${run.id} is ${run.state}` })
  await begin(ports, run, { asked, step }, tools)
}

/** The step as it is stored; it is stored before anything is begun for it. */
const keepStep = async (ports: StepPorts, { tenant, id: run, state }: Run, asked: Asked): Promise<RunStep> => {
  const { id, token, index, step } = asked
  const kept: RunStep = {
    id,
    tenant,
    run,
    name: step.name,
    kind: step.kind,
    state: 'RUNNING',
    startedAt: ports.clock.now(),
    ...(token !== undefined && { token }),
    ...(state === 'COMPENSATING' ? { undoes: true as const } : typeof index === 'number' && { index }),
  }
  const outcome = await ports.main.write({ op: 'put', item: stepItem(kept), expect: 'absent' })
  if (outcome.ok) return kept
  return (outcome.conflicts[0]?.current?.value as RunStep | undefined) ?? (await findStep(ports, kept))?.value ?? kept
}

const begin = async (
  ports: StepPorts,
  run: Run,
  { asked, step }: { asked: Asked; step: RunStep },
  tools: StepTools,
): Promise<void> => {
  const beginOne = beginnings[step.kind]
  try {
    if (beginOne === undefined) throw new DomainError('INVALID', `nothing does steps of kind ${step.kind}`)
    const { output, ...begun } = await beginOne(ports, run, asked, tools)
    if (output !== undefined) await endStep(ports, step, { output })
    else await noteBegun(ports, step, begun)
  } catch (error) {
    if (!isLasting(error)) throw error
    const fields = error.errors?.map(({ pointer, message }) => `${pointer}: ${message}`).join('; ')
    await endStep(ports, step, { error: error.code, cause: [error.message, fields].filter(Boolean).join(': ') })
  }
}

/** Refusals that come again however often it is tried. */
const isLasting = (error: unknown): error is DomainError =>
  error instanceof DomainError && error.code !== 'CONTENDED' && error.code !== 'RATE_LIMITED'

const noteBegun = async (ports: StepPorts, step: RunStep, begun: Partial<RunStep>): Promise<void> => {
  const found = await findStep(ports, step)
  if (found) await changeStep(ports, found, (current) => ({ ...current, ...begun }))
}
