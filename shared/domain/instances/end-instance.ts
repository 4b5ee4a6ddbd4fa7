import type { Platform } from '../../platform/platform.ts'
import { type Caller, stamp, systemStamp } from '../caller.ts'
import { remind } from '../dispatch/due.ts'
import { sendTask } from '../dispatch/send-task.ts'
import { instanceHolderPk } from '../tasks/holders.ts'
import type { Task } from '../tasks/task.ts'
import { loseLease, releaseLease } from '../tasks/task-moves.ts'
import { changeTask, findTask } from '../tasks/task-store.ts'
import { moveInstance } from './instance.ts'
import { changeInstance, dropLease, findInstance, findLease, getInstance } from './instance-store.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random' | 'queues' | 'telemetry'>

/** Graceful: the instance says goodbye, what it still holds goes back at once. */
export const leaveInstance = async (ports: Ports, caller: Caller, id: string): Promise<void> => {
  const start = await getInstance(ports, caller.tenant, id)
  await changeInstance(ports, start, (instance) => {
    const by = `instance:${id}`
    const change = { detail: 'LEFT', reason: 'left', by, at: ports.clock.now() }
    const next = moveInstance(instance, 'OFFLINE', change)
    return next === instance && instance.detail === 'LEFT'
      ? instance
      : { ...next, detail: 'LEFT', stamp: stamp(caller, 'instance.leave') }
  })
  await dropLease(ports, caller.tenant, id)
  await giveBackTasks(ports, caller.tenant, id, (task) =>
    releaseLease(task, { now: ports.clock.now(), message: `instance ${id} left` }),
  )
}

/** For certain: the process of the instance has ended. What it held runs again. */
export const expireInstance = async (ports: Ports, tenant: string, id: string, reason: string): Promise<void> => {
  const start = await findInstance(ports, tenant, id)
  if (start === undefined) return
  await changeInstance(ports, start, (instance) => {
    const next = moveInstance(instance, 'OFFLINE', { detail: 'LOST', reason, by: 'system', at: ports.clock.now() })
    return next === instance ? instance : { ...next, stamp: systemStamp('instance.expire') }
  })
  await dropLease(ports, tenant, id)
  await giveBackTasks(ports, tenant, id, (task) =>
    loseLease(task, { now: ports.clock.now(), message: `instance ${id}: ${reason}` }),
  )
}

/** A reminder came: expires the instance when its lease is over, else asks to be reminded again. */
export const attendInstance = async (ports: Ports, tenant: string, id: string): Promise<void> => {
  const [instance, lease] = await Promise.all([findInstance(ports, tenant, id), findLease(ports, tenant, id)])
  if (instance === undefined || instance.value.state === 'OFFLINE') return
  if (lease !== undefined && lease.expiresAt > ports.clock.now())
    await remind(ports, { tenant, id, at: lease.expiresAt })
  else await expireInstance(ports, tenant, id, 'no sign of life')
}

/** Whether the leases of an instance still hold. */
export const isAlive = async (
  ports: Pick<Platform, 'volatile' | 'clock'>,
  tenant: string,
  id: string,
): Promise<boolean> => ((await findLease(ports, tenant, id))?.expiresAt ?? 0) > ports.clock.now()

/** Takes one task from its holder, unless somebody else did, and sends it on. */
export const takeBack = async (
  ports: Ports,
  tenant: string,
  taskId: string,
  holder: string,
  move: (task: Task) => Task,
): Promise<void> => {
  const start = await findTask(ports, tenant, taskId)
  if (start === undefined) return
  const { task } = await changeTask(ports, start, (current) => {
    const held = current.status === 'RUNNING' && current.lease?.instance === holder
    return { task: held ? { ...move(current), stamp: systemStamp('task.take-back') } : current, answer: undefined }
  })
  await sendTask(ports, task)
}

const giveBackTasks = async (
  ports: Ports,
  tenant: string,
  holder: string,
  move: (task: Task) => Task,
): Promise<void> => {
  let cursor: string | undefined
  do {
    const page = await ports.main.query<Task>({
      index: 'holder',
      pk: instanceHolderPk(tenant, holder),
      limit: 200,
      cursor,
    })
    await Promise.all(page.items.map(({ value }) => takeBack(ports, tenant, value.id, holder, move)))
    cursor = page.cursor
  } while (cursor !== undefined)
}
