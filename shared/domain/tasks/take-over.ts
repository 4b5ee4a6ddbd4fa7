import type { Platform } from '../../platform/platform.ts'
import type { Agent } from '../agents/agent.ts'
import { findAgent } from '../agents/agent-store.ts'
import { livePin } from '../dispatch/affinity.ts'
import { hasLabels } from '../dispatch/requirements.ts'
import { roomFor } from '../dispatch/reserve.ts'
import { sendTask } from '../dispatch/send-task.ts'
import type { Instance } from '../instances/instance.ts'
import { liveInstancesOf } from '../instances/instance-store.ts'
import { countHeld } from './count-held.ts'
import { pinnedHolderPk } from './holders.ts'
import type { Task } from './task.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random' | 'queues' | 'telemetry'>

/** At how many other instances one looks for work, and at how many tasks of each. */
const looked = { instances: 10, tasks: 100 }

/**
 * An instance has free slots, and nothing waits for it: it gets what waits for others of its agent which are busy, where
 * that requires labels that it has as well. Free for a task are the slots that its lane may have.
 */
export const takeOver = async (ports: Ports, instance: Instance): Promise<void> => {
  const { tenant, agent, version, slots } = instance
  if (instance.state !== 'ONLINE' || Object.keys(instance.labels).length === 0) return
  const own = (await findAgent(ports, tenant, agent))?.value
  if (own === undefined || own.decommissionedAt !== undefined) return
  let { running } = await plan(ports, own, instance, Math.max(1, slots))
  if (running >= slots) return
  const live = (await liveInstancesOf(ports, tenant, agent)).map(({ value }) => value)
  const others = live.filter((one) => one.id !== instance.id && one.version === version)
  for (const other of someOf(others, ports.random.number())) {
    const { idle } = await plan(ports, own, other, looked.tasks)
    for (const task of idle.filter((one) => fits(one, own, instance)))
      if (roomFor(task, own, { slots, running }) > 0 && !(await livePin(ports, task, { agent, version }))) {
        running++
        await sendTask(ports, task, { to: instance.id })
      }
    if (running >= slots) return
  }
}

/** A few of many, others each time. */
const someOf = (all: Instance[], random: number): Instance[] => {
  const at = Math.floor(random * all.length)
  return [...all.slice(at), ...all.slice(0, at)].slice(0, looked.instances)
}

const waitingFor = async ({ main }: Ports, { tenant, id }: Instance, limit: number): Promise<Task[]> => {
  const page = await main.query<Task>({ index: 'holder', pk: pinnedHolderPk(tenant, id), limit })
  return page.items.map(({ value }) => value).filter(({ status, pinnedTo }) => status === 'QUEUED' && pinnedTo === id)
}

/** How many tasks an instance runs once it has begun what it may of those that wait for it, and which are `idle` then. */
const plan = async (
  ports: Ports,
  agent: Agent,
  instance: Instance,
  limit: number,
): Promise<{ running: number; idle: Task[] }> => {
  const [held, waiting] = await Promise.all([countHeld(ports, instance), waitingFor(ports, instance, limit)])
  const idle: Task[] = []
  let running = held
  for (const task of waiting)
    if (roomFor(task, agent, { slots: instance.slots, running }) > 0) running++
    else idle.push(task)
  return { running, idle }
}

/** Whether it waits for an instance because of its labels, and this one has them. */
const fits = ({ requirements }: Task, agent: Agent, instance: Instance): boolean =>
  requirements?.labels !== undefined &&
  !hasLabels(requirements.labels, agent.labels) &&
  hasLabels(requirements.labels, agent.labels, instance.labels)
