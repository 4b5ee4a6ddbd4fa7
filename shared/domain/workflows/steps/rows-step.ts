import type { Platform } from '../../../platform/platform.ts'
import { cancelBatch, describeBatch } from '../../batches/batch.ts'
import { createBatch } from '../../batches/create-batch.ts'
import { DomainError, type DomainErrorCode, invalid } from '../../domain-error.ts'
import { type FanOut, isOver } from '../../fan-out/fan-out.ts'
import { findFanOut } from '../../fan-out/fan-out-store.ts'
import { idFromKey } from '../../ids.ts'
import { isObjectRef } from '../../objects/object-ref.ts'
import { callerOfRun, type Run } from '../run.ts'
import { endStep, type StepOutcome } from './end-step.ts'
import type { Asked, Begun, StepPorts } from './step-command.ts'
import { fieldsOf } from './task-step.ts'

const defaultInFlight = 1000

/** What every row is refused for is in its report, and may be tolerated as other failures are. */
const leaveToRows = async (): Promise<void> => undefined

/** A task for each line of an object, as a batch; the same step again is the same batch. */
export const beginRows = async (ports: StepPorts, run: Run, { id, step }: Asked): Promise<Begun> => {
  const { tenant } = run
  const idempotencyKey = `${run.id} ${id}`
  const batch = idFromKey('bat', tenant, idempotencyKey)
  if (await findFanOut(ports, tenant, batch)) return { batch }
  if (!isObjectRef(step.object))
    throw invalid(
      '#/itemsFrom',
      'REFERENCE',
      `expected {$ref: obj_…}, an object of JSON lines; received ${JSON.stringify(step.object)?.slice(0, 200)}`,
    )
  const deadline = new Date(ports.clock.now() + Number(step.timeoutSeconds) * 1000).toISOString()
  const tolerated = Number(step.toleratedFailurePercentage ?? 0)
  const command = {
    name: `${run.workflow}: ${step.name}`,
    object: step.object.$ref,
    task: { ...fieldsOf(step.task as Record<string, unknown>), deadline },
    maxInFlight: Number(step.maxInFlight ?? defaultInFlight),
    ...(tolerated === 0 && { maxFailures: 0 }),
    step: { run: run.id, id, tolerated },
    idempotencyKey,
  }
  await createBatch(ports, callerOfRun(run), command, leaveToRows)
  return { batch }
}

type Ports = Parameters<typeof endStep>[0]

/** A batch that has ended ends the step that waits for it. */
export const endRowsStep = async (ports: Ports, fan: FanOut): Promise<void> => {
  if (fan.step === undefined || !isOver(fan)) return
  await endStep(ports, { tenant: fan.tenant, run: fan.step.run, id: fan.step.id }, await outcomeOf(ports, fan))
}

const outcomeOf = async (ports: Pick<Platform, 'main'>, fan: FanOut): Promise<StepOutcome> => {
  const { id, report, step, stopping } = fan
  const { counts } = await describeBatch(ports, fan)
  const { succeeded, failed, cancelled } = counts
  const total = fan.total ?? fan.position.row
  const lost = failed + cancelled
  if (stopping === undefined && lost * 100 <= (step?.tolerated ?? 0) * total)
    return {
      output: { batch: id, total, succeeded, failed: lost, ...(report !== undefined && { report: { $ref: report } }) },
    }
  const where = report === undefined ? '' : `; its report is object ${report}`
  return { error: 'ITEMS_FAILED', cause: `${lost} of ${total} items of batch ${id} did not succeed${where}` }
}

/** How far the batch of a step has come. */
export const explainRows = async (ports: Pick<Platform, 'main'>, tenant: string, batch: string) => {
  const found = await findFanOut(ports, tenant, batch)
  if (found === undefined) return { code: 'STEP_BEGINS', message: `batch ${batch} is being made` }
  const { fan, counts } = await describeBatch(ports, found.value)
  const done = counts.succeeded + counts.failed + counts.cancelled
  const message = `${done} of ${fan.total ?? 'its'} items of batch ${batch} are over; ${counts.failed} failed`
  return { code: 'ITEMS_RUN', message, wouldChange: `see devcycle batches get ${batch}` }
}

const isGone: DomainErrorCode[] = ['ALREADY_FINISHED', 'NOT_FOUND']

/** Nobody waits for a batch any more; one that is over, or never came to be, stays as it is. */
export const cancelRows = async (ports: StepPorts, tenant: string, batch: string): Promise<void> => {
  try {
    await cancelBatch(ports, { tenant, principal: { kind: 'host', agent: 'workflows' }, requestId: batch }, batch)
  } catch (error) {
    if (!(error instanceof DomainError) || !isGone.includes(error.code)) throw error
  }
}
