import type { Stored } from '../../../platform/platform.ts'
import { DomainError, sentenceOfRefusal } from '../../domain-error.ts'
import { newRev } from '../../ids.ts'
import { isOver, type Run, type RunStep } from '../run.ts'
import { changeStep, findRun, findStep, stepItem } from '../run-store.ts'
import { abandonStep, abandonSteps, endBegun } from './abandon-steps.ts'
import { beginApproval } from './approval-step.ts'
import { begunAs } from './begun-as.ts'
import { endStep } from './end-step.ts'
import { beginMessage, beginRequest } from './message-step.ts'
import { isInOver } from './over-blocks.ts'
import { beginRows } from './rows-step.ts'
import { useState } from './state-step.ts'
import { type Asked, type Begun, parseStepCommand, type Starting, type StepPorts } from './step-command.ts'
import { beginChild } from './sub-workflow-step.ts'
import { beginTask, type StepTools } from './task-step.ts'
import { beginTimer, endTimer } from './timer-step.ts'
import { beginWaitForEvent } from './wait-for-event-step.ts'

type Begin = (ports: StepPorts, run: Run, asked: Starting, tools: StepTools) => Promise<Begun>

const beginnings: Record<string, Begin> = {
  task: beginTask,
  batch: beginTask,
  rows: beginRows,
  approval: beginApproval,
  subWorkflow: beginChild,
  waitForEvent: beginWaitForEvent,
  message: beginMessage,
  request: beginRequest,
  state: useState,
  timer: beginTimer,
  endTimer,
  abandon: abandonSteps,
}

/**
 * Does what a state of a run asks for: begins it, and ends it at once where there is nothing to wait for. A repeated
 * delivery begins nothing twice. What is refused fails the step by the code of the refusal.
 */
export const runStep = async (ports: StepPorts, body: unknown, tools: StepTools): Promise<void> => {
  const asked = parseStepCommand(body)
  if (asked === undefined)
    return ports.telemetry.log('error', 'a command of a run could not be read and was dropped', {
      fields: Object.keys(Object(body)),
    })
  const kept = await keepStep(ports, asked)
  const run = (await findRun(ports, asked.tenant, asked.run))?.value
  if (run === undefined)
    return ports.telemetry.log('error', 'a command names a run that is not there', { run: asked.run })
  const over =
    kept.value.state === 'RUNNING' ? await whyOver(ports, run, kept.value) : `its step is ${kept.value.state}`
  if (over !== undefined) return endInVain(ports, run, { asked, kept, why: over })
  await begin(ports, run, { asked, step: kept.value }, tools)
}

type InVain = { asked: Asked; kept: Stored<RunStep>; why: string }

/** A step that is over ends, or is told so once more; what was begun for it and never noted ends, where somebody waited. */
const endInVain = async (ports: StepPorts, run: Run, { asked, kept, why }: InVain): Promise<void> => {
  if (kept.value.state === 'RUNNING') await abandonStep(ports, kept, why)
  else await endStep(ports, kept.value, { output: null })
  if (asked.token !== undefined) await endBegun(ports, { ...kept.value, ...begunAs(run, asked) }, why)
}

/** The step as it is stored: before its run is looked at, so that whoever ends the run sees the step, or the step the end. */
const keepStep = async (ports: StepPorts, asked: Asked): Promise<Stored<RunStep>> => {
  const item = stepItem(stepOf(asked, ports.clock.now()))
  const rev = newRev(ports)
  const outcome = await ports.main.write({ op: 'put', item, expect: 'absent', rev })
  if (outcome.ok) return { ...item, rev }
  const there = outcome.conflicts[0]?.current as Stored<RunStep> | undefined
  return there ?? (await findStep(ports, item.value)) ?? { ...item, rev }
}

const stepOf = (
  { tenant, run, id, token, index, undoes, within, joined, step }: Asked,
  startedAt: number,
): RunStep => ({
  id,
  tenant,
  run,
  name: step.name,
  kind: step.kind,
  state: 'RUNNING',
  startedAt,
  ...(token !== undefined && { token }),
  ...(within !== undefined && { within }),
  ...(joined !== undefined && { joined }),
  ...(undoes ? { undoes } : typeof index === 'number' && { index }),
  ...untilOf(step, startedAt),
})

/** Its machine has begun to wait before that; a request is given its time when it is sent. */
const untilOf = ({ kind, timeoutSeconds }: Asked['step'], startedAt: number) =>
  kind !== 'request' && typeof timeoutSeconds === 'number' && { until: startedAt + timeoutSeconds * 1000 }

/**
 * Why nothing is begun any more for a step. A run that is undone begins what undoes it alone; what nothing waits for is
 * behind the run, and done however that ended.
 */
const whyOver = async (ports: StepPorts, run: Run, step: RunStep): Promise<string | undefined> => {
  if (step.token === undefined) return undefined
  if ((isOver(run) && run.redriving === undefined) || (run.state === 'COMPENSATING' && !step.undoes))
    return `run ${run.id} is ${run.state}`
  return (await isInOver(ports, run, step)) ? 'a block that it is in has ended without it' : undefined
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
    const { output, ...begun } = await beginOne(ports, run, { ...asked, startedAt: step.startedAt }, tools)
    if (output !== undefined) await endStep(ports, step, { output })
    else await noteBegun(ports, step, begun)
  } catch (error) {
    if (!isLasting(error)) throw error
    await endStep(ports, step, { error: error.code, cause: sentenceOfRefusal(error) })
  }
}

/** Refusals that come again however often it is tried. */
const isLasting = (error: unknown): error is DomainError =>
  error instanceof DomainError && error.code !== 'CONTENDED' && error.code !== 'RATE_LIMITED'

/** A step that was ended meanwhile has nobody for what was begun: that ends as well. */
const noteBegun = async (ports: StepPorts, step: RunStep, begun: Partial<RunStep>): Promise<void> => {
  const found = await findStep(ports, step)
  if (found === undefined) return
  const noted = await changeStep(ports, found, (current) => ({ ...current, ...begun }))
  if (noted.state !== 'RUNNING') await endBegun(ports, noted, noted.cause ?? `its step is ${noted.state}`)
}
