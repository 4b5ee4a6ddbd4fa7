import type { Platform, Write } from '../../platform/platform.ts'
import { type Caller, stamp } from '../caller.ts'
import { compete } from '../contention.ts'
import { DomainError, orThrow } from '../domain-error.ts'
import { digest, newRev } from '../ids.ts'
import { isFinished } from '../tasks/task.ts'
import { getTask, taskKey } from '../tasks/task-store.ts'
import { keyItem, wasDone } from './input-key.ts'
import {
  appendTo,
  chunkRecords,
  emptyStream,
  type InputStream,
  recordsItem,
  streamItem,
  streamKey,
  unreadOf,
} from './input-stream.ts'

export type AppendCommand = { records: unknown[]; end: boolean; idempotencyKey?: string }
/** `unread` may count some that were read lately. */
export type Appended = { lastSeq: number; unread: number; ended: boolean }

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>

/** Appends to the input of a task that has not ended by then, in order and numbered from 1. */
export const appendInput = async (
  ports: Ports,
  caller: Caller,
  id: string,
  { records, end, idempotencyKey }: AppendCommand,
): Promise<Appended> => {
  const { tenant } = caller
  const request = { tenant, task: id, idempotencyKey, body: digest({ records, end }) }
  const sized = records.map((value) => ({ value, bytes: Buffer.byteLength(JSON.stringify(value)) }))
  const more = { records: records.length, bytes: sized.reduce((sum, { bytes }) => sum + bytes, 0), end }
  return compete(ports, `the input of task ${id}`, async () => {
    const { value: task, rev: headRev } = await getTask(ports, tenant, id)
    const before = await ports.main.get<InputStream>(streamKey(tenant, id))
    const done = await wasDone<Appended>(ports, request)
    if (done) return { done: done.answer }
    if (isFinished(task)) throw new DomainError('ALREADY_FINISHED', `task ${id} is already ${task.status}`)
    const stream = before?.value ?? emptyStream
    const next = orThrow(appendTo(stream, more))
    const appended = { lastSeq: next.last.seq, unread: unreadOf(next).seq, ended: next.ended }
    if (next === stream) return { done: appended }
    const head: Write = {
      op: 'put',
      item: streamItem(tenant, id, { ...next, stamp: stamp(caller, 'task.input') }),
      expect: before ? { rev: before.rev } : 'absent',
      rev: newRev(ports),
    }
    const items = [
      ...chunkRecords(stream, sized).map((chunk) => recordsItem(tenant, id, chunk)),
      ...keyItem(request, appended),
    ]
    const rest = items.map((item): Write => ({ op: 'put', item, expect: 'any' }))
    const unended: Write = { op: 'check', key: taskKey(tenant, id), expect: { rev: headRev } }
    const outcome = await ports.main.transact([head, unended, ...rest])
    return outcome.ok ? { done: appended } : undefined
  })
}
