import type { Platform, Stored } from '../../platform/platform.ts'
import { findAgent } from '../agents/agent-store.ts'
import { systemStamp } from '../caller.ts'
import { newRev } from '../ids.ts'
import type { Instance } from '../instances/instance.ts'
import { taskKey } from '../keys.ts'
import type { Target, Task } from '../tasks/task.ts'
import { taskItem } from '../tasks/task-item.ts'
import { livePin, takePin } from './affinity.ts'
import { type Live, liveOf } from './find-target.ts'
import { hasLabels, showLabels } from './requirements.ts'
import { roomFor } from './reserve.ts'
import { byWeight } from './route.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random'>

/** Which instance a task must go to; absent: any. `blockedBy`: there is none that it can go to. */
type Place = Pick<Task, 'pinnedTo' | 'blockedBy'>

/** Whether not every instance of its agent may do it. */
export const isChoosy = ({ affinityKey, requirements }: Task): boolean =>
  affinityKey !== undefined || requirements?.labels !== undefined

/** `to`: the instance that it goes to if that has the labels and its key leads nowhere else. */
export type Wished = { to?: string }

/** Where a queued task must go. Only a task with an affinity key or required labels costs a read. */
const placeOf = async (ports: Ports, task: Task, target: Target, { to }: Wished): Promise<Place> => {
  const wanted = task.requirements?.labels
  const [agent, pin] = await Promise.all([
    wanted && findAgent(ports, task.tenant, target.agent),
    livePin(ports, task, target),
  ])
  const own = agent?.value
  if (own === undefined || hasLabels(wanted, own.labels)) return { pinnedTo: pin }
  const fitting = (await liveOf(ports, own)).filter(
    ({ instance }) => instance.state === 'ONLINE' && hasLabels(wanted, own.labels, instance.labels),
  )
  const named = (id: string | undefined) => fitting.find(({ instance }) => instance.id === id)
  const loads = fitting.map((one) => ({ ...one, room: roomFor(task, own, one.lease) }))
  const chosen = named(pin) ?? named(to) ?? choose(loads, task, ports.random.number())
  if (chosen) return { pinnedTo: chosen.instance.id }
  const message = `no live instance of agent ${own.name} has the labels ${showLabels(wanted ?? {})}; the task runs as soon as one joins`
  return { blockedBy: { code: 'NO_CAPABLE_AGENT', message } }
}

/** One with room for it, the more the likelier; the one that it waits for already, if that has some or nobody has. */
const choose = (fitting: (Live & { room: number })[], { pinnedTo }: Task, random: number): Live | undefined => {
  const roomy = fitting.filter(({ room }) => room > 0)
  const open = roomy.length > 0 ? roomy : fitting
  const before = open.find(({ instance }) => instance.id === pinnedTo)
  return before ?? byWeight(open, ({ room }) => Math.max(1, room), random)
}

/** A queued task with the place that it must go to now. */
export const placed = async (ports: Ports, task: Task, wished: Wished = {}): Promise<Task> => {
  if (task.status !== 'QUEUED' || task.target === undefined || !isChoosy(task)) return task
  const { pinnedTo, blockedBy } = await placeOf(ports, task, task.target, wished)
  const was = task.blockedBy?.code === 'NO_CAPABLE_AGENT' ? undefined : task.blockedBy
  const next = { ...task, pinnedTo, blockedBy: blockedBy ?? was }
  return isPlacedAs(next, task) ? task : next
}

const isPlacedAs = (a: Task, b: Task): boolean =>
  a.pinnedTo === b.pinnedTo && a.blockedBy?.message === b.blockedBy?.message

/** The same, and records it; whoever changed the task meanwhile has the last word. */
export const placeTask = async (ports: Ports, task: Task, wished?: Wished): Promise<Task> => {
  const next = await placed(ports, task, wished)
  if (next === task) return task
  const found = await ports.main.get<Task>(taskKey(task.tenant, task.id))
  if (found === undefined || found.value.seq !== task.seq || found.value.status !== 'QUEUED')
    return found?.value ?? next
  const { pinnedTo, blockedBy } = next
  const value = { ...found.value, pinnedTo, blockedBy, stamp: systemStamp('task.place') }
  const outcome = await ports.main.write({
    op: 'put',
    item: taskItem(value),
    expect: { rev: found.rev },
    rev: newRev(ports),
  })
  return outcome.ok ? value : ((outcome.conflicts[0]?.current as Stored<Task> | undefined)?.value ?? value)
}

/** Whether an instance may take a task now; its key leads to it from then on. */
export const mayTake = async (ports: Ports, task: Task, instance: Instance): Promise<boolean> => {
  const { target } = task
  if (target === undefined || !isChoosy(task)) return true
  const wanted = task.requirements?.labels
  const agent =
    wanted && !hasLabels(wanted, instance.labels) ? await findAgent(ports, task.tenant, target.agent) : undefined
  if (!hasLabels(wanted, instance.labels, agent?.value.labels ?? {})) return false
  return task.affinityKey === undefined || takePin(ports, task, target, instance.id)
}
