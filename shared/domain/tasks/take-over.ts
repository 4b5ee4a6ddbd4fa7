import type { Platform } from '../../platform/platform.ts'
import type { Agent } from '../agents/agent.ts'
import { findAgent } from '../agents/agent-store.ts'
import { livePin } from '../dispatch/affinity.ts'
import { hasLabels } from '../dispatch/requirements.ts'
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
 * that requires labels that it has as well.
 */
export const takeOver = async (ports: Ports, instance: Instance): Promise<void> => {
  const { tenant, agent, version } = instance
  if (instance.state !== 'ONLINE' || Object.keys(instance.labels).length === 0) return
  let room = await freeOf(ports, instance)
  if (room < 1) return
  const own = (await findAgent(ports, tenant, agent))?.value
  if (own === undefined || own.decommissionedAt !== undefined) return
  const live = (await liveInstancesOf(ports, tenant, agent)).map(({ value }) => value)
  const others = live.filter((one) => one.id !== instance.id && one.version === version)
  for (const other of someOf(others, ports.random.number())) {
    const tasks = await waitingIdly(ports, other)
    for (const task of tasks.filter((one) => fits(one, own, instance)))
      if (room > 0 && (await livePin(ports, task, { agent, version })) === undefined) {
        room--
        await sendTask(ports, task, { to: instance.id })
      }
    if (room < 1) return
  }
}

/** A few of many, others each time. */
const someOf = (all: Instance[], random: number): Instance[] => {
  const at = Math.floor(random * all.length)
  return [...all.slice(at), ...all.slice(0, at)].slice(0, looked.instances)
}

const freeOf = async (ports: Ports, instance: Instance): Promise<number> => {
  const [held, waiting] = await Promise.all([
    countHeld(ports, instance),
    waitingFor(ports, instance, Math.max(1, instance.slots)),
  ])
  return instance.slots - held - waiting.length
}

const waitingFor = async ({ main }: Ports, { tenant, id }: Instance, limit: number): Promise<Task[]> => {
  const page = await main.query<Task>({ index: 'holder', pk: pinnedHolderPk(tenant, id), limit })
  return page.items.map(({ value }) => value).filter(({ status, pinnedTo }) => status === 'QUEUED' && pinnedTo === id)
}

/** What waits for an instance beyond the slots that it has free. */
const waitingIdly = async (ports: Ports, instance: Instance): Promise<Task[]> => {
  const waiting = await waitingFor(ports, instance, looked.tasks)
  return waiting.length === 0 ? [] : waiting.slice(Math.max(0, instance.slots - (await countHeld(ports, instance))))
}

/** Whether it waits for an instance because of its labels, and this one has them. */
const fits = ({ requirements }: Task, agent: Agent, instance: Instance): boolean =>
  requirements?.labels !== undefined &&
  !hasLabels(requirements.labels, agent.labels) &&
  hasLabels(requirements.labels, agent.labels, instance.labels)
