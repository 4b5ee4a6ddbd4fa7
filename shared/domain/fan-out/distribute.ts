import type { Item, Platform } from '../../platform/platform.ts'
import { planBody } from '../bodies/body.ts'
import { type Caller, stamp } from '../caller.ts'
import { remind } from '../dispatch/due.ts'
import type { SubmitCommand } from '../tasks/submit-command.ts'
import type { Task } from '../tasks/task.ts'
import { noCounts } from './bitmap.ts'
import { chunkRows, type FanOut, type Source } from './fan-out.ts'
import { fanOutIdOf, fanOutItem, fanOutPk } from './fan-out-store.ts'
import { putShards } from './shards.ts'

type Ports = Pick<Platform, 'objects' | 'clock'>
type Built = { task: Task; items: Item[] }

const defaultWindow = 1000

/** What of a submit is for each of its shards; the rest is for the task as a whole. */
const ofEachShard = [
  'capability',
  'agent',
  'version',
  'priority',
  'labels',
  'retry',
  'requirements',
  'affinityKey',
] as const

/** The same task as one that the platform holds itself, with the record of its shards to be stored together with it. */
export const distribute = async (
  ports: Ports,
  caller: Caller,
  { task: built, items }: Built,
  command: SubmitCommand,
): Promise<Built> => {
  const { tenant } = caller
  const id = fanOutIdOf(tenant, built.id)
  const pk = fanOutPk(tenant, id)
  const stamped = stamp(caller, 'task.distribute')
  const plan = (sk: string, value: unknown) => planBody(ports, { tenant, pk, sk, value, stamp: stamped })
  const { join = 'list', input } = command
  const [template, common, joined, split] = await Promise.all([
    plan('task', Object.fromEntries(ofEachShard.map((key) => [key, command[key]]))),
    input === undefined ? undefined : plan('common', input),
    join === 'list' ? undefined : plan('join', join),
    command.shards && 'split' in command.shards ? plan('split', command.shards.split) : undefined,
  ])
  const fan: FanOut = {
    ...(await rowsOf(ports, { tenant, id, command, split: split?.body })),
    id,
    tenant,
    state: 'RUNNING',
    template: template.body,
    ...(common && { common: common.body }),
    join: joined ? { kind: 'task', task: joined.body } : { kind: 'list' },
    maxInFlight: command.maxInFlight ?? defaultWindow,
    policy: {
      ...(command.quorum !== undefined && { quorum: command.quorum }),
      failFast: command.onFailure !== 'continue',
    },
    position: { row: 0, byte: 0, ended: false },
    claimed: chunkRows,
    closed: noCounts,
    open: [],
    fragments: [],
    lookedAt: built.createdAt,
    task: built.id,
    dueAt: built.dueAt,
    createdAt: built.createdAt,
    submitted: built.submitted,
    by: caller.principal,
    stamp: stamped,
  }
  const bodies = [template, common, joined, split].flatMap((planned) => planned?.items ?? [])
  return { task: heldByPlatform(built, command, id), items: [...items, ...bodies, fanOutItem(fan)] }
}

/** Retries are for its shards; its own attempt lasts as long as it may unless it says so. */
const heldByPlatform = (task: Task, command: SubmitCommand, id: string): Task => ({
  ...task,
  capability: undefined,
  target: undefined,
  agentNamed: undefined,
  blockedBy: undefined,
  fanOut: { id, ...(task.capability !== undefined && { capability: task.capability }) },
  retry: { ...task.retry, attempts: 1 },
  timeoutSeconds: command.timeoutSeconds ?? Math.ceil((task.deadline - task.createdAt) / 1000),
})

type RowsPlan = { tenant: string; id: string; command: SubmitCommand; split: FanOut['template'] }

const rowsOf = async (
  ports: Ports,
  { tenant, id, command: { shards }, split }: RowsPlan,
): Promise<{ source: Source; total?: number }> => {
  if (shards && 'list' in shards)
    return { source: await putShards(ports, { tenant, id, list: shards.list }), total: shards.list.length }
  if (shards && 'range' in shards) {
    const { from, to, size } = shards.range
    return { source: { kind: 'range', from, to, size }, total: Math.max(0, Math.ceil((to - from) / size)) }
  }
  if (split === undefined) throw new Error(`the shards of ${id} have no source`)
  return { source: { kind: 'split', task: split } }
}

/** Asks for the first pass over the shards of a distributed task. */
export const sendDistributed = async (
  ports: Pick<Platform, 'queues' | 'clock' | 'telemetry'>,
  { tenant, fanOut }: Task,
): Promise<void> => {
  if (fanOut !== undefined) await remind(ports, { tenant, id: fanOut.id, at: ports.clock.now() })
}
