import type { Key, Platform } from '../../platform/platform.ts'
import { processMemory } from '../process-memory.ts'
import { limitHolderPk, readHeldPlace } from '../tasks/holders.ts'
import type { Task } from '../tasks/task.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock'>

/** When this process sent what is held: it is on its way, then it lies with an agent that does not take it. */
const sends = processMemory<number>()
export const onItsWayMs = 2000
const lyingMs = 60_000

export const noteSent = ({ volatile, clock }: Pick<Platform, 'volatile' | 'clock'>, id: string): void =>
  void sends(volatile).set(id, clock.now())

/** It is held again, or was not sent: it may be sent at once. */
export const forgetSent = ({ volatile }: Pick<Platform, 'volatile'>, id: string): void => {
  sends(volatile).delete(id)
}

/** How many held tasks are looked at: at first, then at a time while none of those can be sent. */
const pages = { first: 100, next: 500, most: 5 }
/** So many more than may be sent are read: some have left, though the index still shows them. */
const spare = 5
const mostRead = 1000

/** A task that a limit holds, as the index knows it. */
type Held = { key: Key; id: string; agent: string }
type Question = { tenant: string; limit: string; room: number }

/**
 * The first ones that a limit holds of each agent, as far as there is room beside what is on its way: a busy agent keeps
 * no other back. In the order in which they were held; `any`: whether there are any at all.
 */
export const firstHeld = async (ports: Ports, question: Question): Promise<{ any: boolean; first: Task[] }> => {
  const held: Held[] = []
  let cursor: string | undefined
  for (let page = 0; page < pages.most; page++) {
    const more = await readHeld(ports, question, { limit: page === 0 ? pages.first : pages.next, cursor })
    held.push(...more.held)
    cursor = more.cursor
    const first = await sendable(ports, question, held)
    if (first.length > 0 || cursor === undefined) return { any: held.length > 0, first }
  }
  return { any: true, first: [] }
}

const readHeld = async (
  { main }: Ports,
  { tenant, limit }: Question,
  page: { limit: number; cursor: string | undefined },
): Promise<{ held: Held[]; cursor: string | undefined }> => {
  const { items, cursor } = await main.queryKeys({ index: 'holder', pk: limitHolderPk(tenant, limit), ...page })
  return { held: items.map(({ pk, sk, place }) => ({ key: { pk, sk }, ...readHeldPlace(place) })), cursor }
}

const sendable = async (ports: Ports, { limit, room }: Question, held: Held[]): Promise<Task[]> => {
  const sent = sends(ports.volatile)
  const now = ports.clock.now()
  const sentMsAgo = ({ id }: Held): number => now - (sent.get(id) ?? Number.NEGATIVE_INFINITY)
  const onTheirWay = Map.groupBy(
    held.filter((one) => sentMsAgo(one) < onItsWayMs),
    ({ agent }) => agent,
  )
  const roomFor = (agent: string): number => room - (onTheirWay.get(agent)?.length ?? 0)
  const waiting = held.filter((one) => roomFor(one.agent) > 0 && sentMsAgo(one) >= lyingMs)
  const candidates = takeEach(waiting, (agent) => roomFor(agent) + spare).slice(0, mostRead)
  const known = await stillHeld(ports, limit, candidates)
  return takeEach(known, roomFor).map(({ task }) => task)
}

/** Up to so many of each agent, in their order. */
const takeEach = <T extends { agent: string }>(all: T[], most: (agent: string) => number): T[] => {
  const taken = new Map<string, number>()
  return all.filter(({ agent }) => {
    const count = (taken.get(agent) ?? 0) + 1
    taken.set(agent, count)
    return count <= most(agent)
  })
}

const stillHeld = async ({ main }: Ports, limit: string, some: Held[]): Promise<{ task: Task; agent: string }[]> => {
  const heads = await main.getMany<Task>(some.map(({ key }) => key))
  return some.flatMap(({ agent }, at) => {
    const task = heads[at]?.value
    return task?.status === 'QUEUED' && task.heldBy === limit ? [{ task, agent }] : []
  })
}
