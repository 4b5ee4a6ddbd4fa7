import type { Platform } from '../../platform/platform.ts'
import { type Caller, stamp } from '../caller.ts'
import { compete } from '../contention.ts'
import { DomainError } from '../domain-error.ts'
import { digest, newId } from '../ids.ts'
import { type IfMatch, requireRev } from '../require-rev.ts'
import type { Queue } from './queue.ts'
import { createQueue, getQueue, removeQueue } from './queue-store.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>

export type QueueCommand = Pick<Queue, 'name' | 'visibilitySeconds' | 'maxReceives' | 'description'>

/** Makes a queue; the same again answers the one that is there. */
export const makeQueue = async (ports: Ports, caller: Caller, command: QueueCommand): Promise<Queue> => {
  const queue: Queue = {
    ...command,
    id: newId('que', ports),
    tenant: caller.tenant,
    createdAt: ports.clock.now(),
    created: digest(command),
    stamp: stamp(caller, 'queue.create'),
  }
  const existing = await createQueue(ports, queue)
  if (existing === undefined || existing.created === queue.created) return existing ?? queue
  throw new DomainError('NAME_TAKEN', `there is a queue ${command.name} with other settings; use it, or another name`)
}

/** What waits in it is not handed out any more; its name is free. */
export const deleteQueue = async (ports: Ports, caller: Caller, name: string, ifMatch?: IfMatch): Promise<void> => {
  await compete(ports, `queue ${name}`, async () => {
    const found = await getQueue(ports, caller.tenant, name)
    requireRev(`queue ${name}`, found, ifMatch)
    const removed = await removeQueue(ports, found)
    return removed && { done: removed }
  })
}
