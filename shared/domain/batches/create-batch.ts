import type { Platform } from '../../platform/platform.ts'
import { planBody } from '../bodies/body.ts'
import { type Caller, stamp } from '../caller.ts'
import { remind } from '../dispatch/due.ts'
import { invalid } from '../domain-error.ts'
import { noCounts } from '../fan-out/bitmap.ts'
import { chunkRows, type FanOut } from '../fan-out/fan-out.ts'
import { fanOutItem, fanOutPk, findFanOut, getFanOut } from '../fan-out/fan-out-store.ts'
import { digest, idFor } from '../ids.ts'
import { requireSame } from '../require-same.ts'
import { requireAhead } from '../tasks/choose-target.ts'

export type CreateBatch = {
  name?: string
  /** The object whose lines are the rows. */
  object: string
  /** Body of the submit of each row, without its input. */
  task?: object
  maxInFlight: number
  /** Ends the batch when more rows fail. */
  maxFailures?: number
  step?: FanOut['step']
  idempotencyKey?: string
}

type Ports = Pick<Platform, 'main' | 'objects' | 'queues' | 'clock' | 'random' | 'telemetry'>

/** Refuses what no row could be. */
type CheckTask = (task: object) => Promise<void>

/**
 * Accepts a batch: from here on every row becomes a task, or a line of the report. Repeated, it is the one that is, and
 * nothing is checked.
 */
export const createBatch = async (
  ports: Ports,
  caller: Caller,
  command: CreateBatch,
  check: CheckTask,
): Promise<FanOut> => {
  const { tenant } = caller
  const { idempotencyKey, ...wish } = command
  const id = idFor('bat', tenant, idempotencyKey, ports)
  const submitted = digest(wish)
  const known = idempotencyKey === undefined ? undefined : (await findFanOut(ports, tenant, id))?.value
  const stored = known ?? (await store(ports, caller, { ...wish, id, submitted }, check))
  requireSame(`batch ${id}`, idempotencyKey, { before: stored.submitted, now: submitted })
  await remind(ports, { tenant, id, at: stored.createdAt })
  return stored
}

type New = Omit<CreateBatch, 'idempotencyKey'> & { id: string; submitted: string }

/** Answers what is stored then, by whomever. */
const store = async (ports: Ports, caller: Caller, command: New, check: CheckTask): Promise<FanOut> => {
  const { tenant } = caller
  const { id, submitted } = command
  const source = await sourceOf(ports, tenant, command.object)
  const now = ports.clock.now()
  const { deadline } = (command.task ?? {}) as { deadline?: string }
  if (deadline !== undefined) requireAhead(Date.parse(deadline), now, '#/task/deadline')
  if (command.task !== undefined) await check(command.task)
  const stamped = stamp(caller, 'batch.create')
  const place = { tenant, pk: fanOutPk(tenant, id), stamp: stamped }
  /** Its name is of what it says: what another batch under the same key would submit is never in its place. */
  const template =
    command.task && (await planBody(ports, { ...place, sk: `task#${digest(command.task)}`, value: command.task }))
  const fan: FanOut = {
    id,
    tenant,
    ...(command.name !== undefined && { name: command.name }),
    state: 'RUNNING',
    source,
    ...(template && { template: template.body }),
    ...(command.step && { step: command.step }),
    maxInFlight: command.maxInFlight,
    policy: { ...(command.maxFailures !== undefined && { maxFailures: command.maxFailures }) },
    position: { row: 0, byte: 0, ended: false },
    claimed: chunkRows,
    closed: noCounts,
    open: [],
    fragments: [],
    lookedAt: now,
    dueAt: now,
    createdAt: now,
    submitted,
    by: caller.principal,
    stamp: stamped,
  }
  for (const item of template?.items ?? []) await ports.main.write({ op: 'put', item, expect: 'any' })
  const outcome = await ports.main.write({ op: 'put', item: fanOutItem(fan), expect: 'absent' })
  return outcome.ok ? fan : (await getFanOut(ports, tenant, id)).value
}

const sourceOf = async ({ objects }: Ports, tenant: string, id: string): Promise<FanOut['source']> => {
  const stat = await objects.stat({ tenant, id })
  if (stat !== undefined) return { kind: 'object', id, size: stat.size }
  throw invalid('#/input/$ref', 'NO_CONTENT', `object ${id} has no content; upload the rows first`)
}
