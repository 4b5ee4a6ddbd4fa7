import type { Platform, Stored } from '../../platform/platform.ts'
import type { Agent } from '../agents/agent.ts'
import { findAgent } from '../agents/agent-store.ts'
import { systemStamp } from '../caller.ts'
import { newRev } from '../ids.ts'
import type { Instance } from '../instances/instance.ts'
import { taskKey } from '../keys.ts'
import { isUnmet } from '../tasks/holders.ts'
import type { Target, Task } from '../tasks/task.ts'
import { taskItem } from '../tasks/task-item.ts'
import { loseTarget } from '../tasks/task-moves.ts'
import { livePin, takePin } from './affinity.ts'
import { type Live, liveOf } from './find-target.ts'
import { misfitOf } from './misfit.ts'
import { hasLabels, showLabels } from './requirements.ts'
import { roomFor } from './reserve.ts'
import { byWeight } from './route.ts'
import { routeAgain } from './route-again.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random' | 'queues'>

/** Which instance a task must go to; absent: any. `problem`: there is none that it can go to. */
type Place = { pinnedTo?: string; problem?: string }

/** Whether not every instance of its agent may do it. */
export const isChoosy = ({ affinityKey, requirements }: Task): boolean =>
  affinityKey !== undefined || requirements?.labels !== undefined

/** `to`: the instance that it goes to if that has the labels and its key leads nowhere else. */
export type Wished = { to?: string }

/** Where a queued task must go. Only one with an affinity key, required labels or an agent that could not costs a read. */
const placeOf = async (ports: Ports, task: Task, target: Target, { to }: Wished): Promise<Place> => {
  const wanted = task.requirements?.labels
  const [agent, pin] = await Promise.all([
    wanted || isUnmet(task) ? findAgent(ports, task.tenant, target.agent) : undefined,
    livePin(ports, task, target),
  ])
  const own = agent?.value
  const problem = own && misfitOf(own, task)
  if (own && problem) return { problem: cannot(own, problem) }
  if (own === undefined || hasLabels(wanted, own.labels)) return { pinnedTo: pin }
  const fitting = (await liveOf(ports, own)).filter(
    ({ instance }) => instance.state === 'ONLINE' && hasLabels(wanted, own.labels, instance.labels),
  )
  const named = (id: string | undefined) => fitting.find(({ instance }) => instance.id === id)
  const loads = fitting.map((one) => ({ ...one, room: roomFor(task, own, one.lease) }))
  const chosen = named(pin) ?? named(to) ?? choose(loads, task, ports.random.number())
  if (chosen) return { pinnedTo: chosen.instance.id }
  const labels = showLabels(wanted ?? {})
  return {
    problem: `no live instance of agent ${own.name} has the labels ${labels}; the task runs as soon as one joins`,
  }
}

/** Why a task waits whose agent has lost what it requires. */
export const cannot = ({ name }: Pick<Agent, 'name'>, problem: string): string =>
  `agent ${name} cannot: ${problem}; the task runs as soon as it can`

/** One with room for it, the more the likelier; the one that it waits for already, if that has some or nobody has. */
const choose = (fitting: (Live & { room: number })[], { pinnedTo }: Task, random: number): Live | undefined => {
  const roomy = fitting.filter(({ room }) => room > 0)
  const open = roomy.length > 0 ? roomy : fitting
  const before = open.find(({ instance }) => instance.id === pinnedTo)
  return before ?? byWeight(open, ({ room }) => Math.max(1, room), random)
}

/** A queued task with the place that it must go to now; one that nobody of its agent can do gives that up, unless it was named. */
export const placed = async (ports: Ports, task: Task, wished: Wished = {}): Promise<Task> => {
  if (task.status !== 'QUEUED' || task.target === undefined || !(isChoosy(task) || isUnmet(task))) return task
  const { pinnedTo, problem } = await placeOf(ports, task, task.target, wished)
  if (problem !== undefined) return loseTarget(task, problem)
  const was = task.blockedBy?.code === 'NO_CAPABLE_AGENT' ? undefined : task.blockedBy
  const isSame = task.pinnedTo === pinnedTo && task.blockedBy === was
  return isSame ? task : { ...task, pinnedTo, blockedBy: was }
}

/** The same, and records it; whoever changed the task meanwhile has the last word. What gives its agent up is routed again. */
export const placeTask = async (ports: Ports, task: Task, wished?: Wished): Promise<Task> => {
  const next = await placed(ports, task, wished)
  if (next === task) return task
  const waits = await record(ports, task, next)
  if (waits.target !== undefined || waits.status !== 'QUEUED') return waits
  // once, and after it is recorded: whoever comes between finds it among what waits for its capability
  const routed = await placed(ports, (await routeAgain(ports, waits))(waits))
  return routed === waits ? waits : record(ports, waits, routed)
}

const record = async (ports: Ports, task: Task, next: Task): Promise<Task> => {
  const found = await ports.main.get<Task>(taskKey(task.tenant, task.id))
  if (found === undefined || found.value.seq !== task.seq || found.value.status !== 'QUEUED')
    return found?.value ?? next
  if (found.value.target?.agent !== task.target?.agent) return found.value
  const { target, agentNamed, routing, pinnedTo, blockedBy } = next
  const heldBy = next.heldBy === task.heldBy ? found.value.heldBy : next.heldBy
  const place = { target, agentNamed, routing, pinnedTo, blockedBy, heldBy }
  const value = { ...found.value, ...place, stamp: systemStamp('task.place') }
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
