import type { Item, Key, Platform, Stored, Write } from '../../platform/platform.ts'
import { systemStamp } from '../caller.ts'
import { saveItem } from '../contention.ts'
import { dueIndex } from '../dispatch/due.ts'
import { DomainError } from '../domain-error.ts'
import { idPattern, newRev } from '../ids.ts'
import { sortableTime } from '../keys.ts'
import { writeAll } from '../write-all.ts'
import { type Agent, type AgentVersion, offers } from './agent.ts'
import { formerItem } from './former-agent.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>

export const agentKey = (tenant: string, id: string): Key => ({ pk: `${tenant}#agent#${id}`, sk: 'head' })
const nameKey = (tenant: string, name: string): Key => ({ pk: `${tenant}#agent-name#${name}`, sk: 'name' })
const offerPk = (tenant: string, capability: string): string => `${tenant}#offers#${capability}`

/** Partition of the `list` index that holds a tenant's agents. */
export const agentListPk = (tenant: string): string => `${tenant}#agents`

const headItem = (agent: Agent): Item<Agent> => {
  const { tenant, id, createdAt, decommissionedAt, dueAt } = agent
  const list = { pk: agentListPk(tenant), sk: `${sortableTime(createdAt)}#${id}` }
  return {
    ...agentKey(tenant, id),
    type: 'agent',
    value: agent,
    index: {
      ...(decommissionedAt === undefined && { list }),
      ...(dueAt !== undefined && { due: dueIndex(dueAt, tenant, id) }),
    },
  }
}

const offerSk = (capability: string): string => `offer#${capability}`
const offerItem = (agent: Agent, capability: string): Item => ({
  pk: agentKey(agent.tenant, agent.id).pk,
  sk: offerSk(capability),
  type: 'offer',
  value: { agent: agent.id, capability, stamp: agent.stamp },
  index: { parent: { pk: offerPk(agent.tenant, capability), sk: `${sortableTime(agent.createdAt)}#${agent.id}` } },
})

const versionItem = (agent: Agent): Item<AgentVersion> => ({
  pk: agentKey(agent.tenant, agent.id).pk,
  sk: `version#${agent.version}`,
  type: 'agent-version',
  value: {
    agent: agent.id,
    version: agent.version,
    capabilities: agent.capabilities,
    createdAt: agent.createdAt,
    stamp: agent.stamp,
  },
})

const put = (item: Item, expect: 'absent' | 'any' = 'any'): Write => ({ op: 'put', item, expect })

/** At most so many writes go into one transaction. */
const maxWrites = 25

/** Stores head, name, version and offers. Answers who has the name already, if anybody. */
export const createAgent = async ({ main }: Ports, agent: Agent): Promise<{ takenBy: string } | undefined> => {
  const name: Item = {
    ...nameKey(agent.tenant, agent.name),
    type: 'agent-name',
    value: { agent: agent.id, stamp: agent.stamp },
  }
  const offered = agent.capabilities.map((one) => put(offerItem(agent, one.name)))
  const core = [put(name, 'absent'), put(headItem(agent), 'absent'), put(versionItem(agent), 'absent')]
  const room = maxWrites - core.length
  for (const offer of offered.slice(room)) await main.write(offer) // an offer without its agent is nobody's
  const outcome = await main.transact([...core, ...offered.slice(0, room)])
  if (!outcome.ok) {
    const current = outcome.conflicts.find(({ at }) => at === 0)?.current as Stored<{ agent: string }> | undefined
    return { takenBy: current?.value.agent ?? agent.id }
  }
  return undefined
}

/** By id or name; a decommissioned agent is only found by id. */
export const findAgent = async (
  { main }: Pick<Platform, 'main'>,
  tenant: string,
  idOrName: string,
): Promise<Stored<Agent> | undefined> => {
  const id = idPattern('agt').test(idOrName)
    ? idOrName
    : (await main.get<{ agent: string }>(nameKey(tenant, idOrName)))?.value.agent
  return id === undefined ? undefined : main.get<Agent>(agentKey(tenant, id))
}

/** The agent, or `NOT_FOUND`. */
export const getAgent = async (
  ports: Pick<Platform, 'main'>,
  tenant: string,
  idOrName: string,
): Promise<Stored<Agent>> => {
  const found = await findAgent(ports, tenant, idOrName)
  if (found === undefined) throw new DomainError('NOT_FOUND', `there is no agent ${idOrName}`)
  return found
}

/** Saves a changed agent if nobody else did; offers follow its capabilities, its name is freed with its end. */
export const saveAgent = async (ports: Ports, before: Stored<Agent>, agent: Agent): Promise<Stored<Agent>> => {
  const rev = newRev(ports)
  const head: Write = { op: 'put', item: headItem(agent), expect: { rev: before.rev }, rev }
  const writes = [...freedName(before.value, agent), ...offerChanges(before.value, agent)]
  const [first, rest] = [writes.slice(0, maxWrites - 1), writes.slice(maxWrites - 1)]
  for (const write of rest.filter(({ op }) => op === 'put')) await ports.main.write(write)
  const outcome = await writeAll(ports.main, [head, ...first])
  if (!outcome.ok)
    throw new DomainError('PRECONDITION_FAILED', `agent ${agent.name} was changed meanwhile; read it again`)
  for (const write of rest.filter(({ op }) => op === 'delete')) await ports.main.write(write)
  return { ...headItem(agent), rev }
}

/** Says when the mail of an agent that is gone is looked after next, if nobody else did; `undefined`: somebody did. */
export const putOffMail = (
  ports: Ports,
  found: Stored<Agent>,
  dueAt: number | undefined,
): Promise<Stored<Agent> | undefined> =>
  saveItem(ports, found, headItem({ ...found.value, dueAt, stamp: systemStamp('agent.attend-mail') }))

const offerChanges = (before: Agent, after: Agent): Write[] => {
  const offered = after.decommissionedAt === undefined ? after.capabilities.map(({ name }) => name) : []
  const had = before.capabilities.map(({ name }) => name)
  const key = (name: string): Key => ({ pk: agentKey(after.tenant, after.id).pk, sk: offerSk(name) })
  return [
    ...offered.filter((name) => !had.includes(name)).map((name) => put(offerItem(after, name))),
    ...had
      .filter((name) => !offered.includes(name))
      .map((name): Write => ({ op: 'delete', key: key(name), expect: 'any' })),
  ]
}

const freedName = (before: Agent, after: Agent): Write[] =>
  before.decommissionedAt === undefined && after.decommissionedAt !== undefined
    ? [{ op: 'delete', key: nameKey(after.tenant, after.name), expect: 'any' }, put(formerItem(after))]
    : []

/** A page of the agents that offer a capability, newest first. */
export const pageOfOffers = async (
  { main }: Pick<Platform, 'main'>,
  { tenant, capability, ...range }: { tenant: string; capability: string; limit: number; cursor?: string },
): Promise<{ agents: Stored<Agent>[]; cursor?: string }> => {
  const pk = offerPk(tenant, capability)
  const page = await main.query<{ agent: string }>({ index: 'parent', pk, order: 'descending', ...range })
  const found = await main.getMany<Agent>(page.items.map(({ value }) => agentKey(tenant, value.agent)))
  const agents = found.filter((agent) => agent !== undefined && offers(agent.value, capability))
  return { agents: agents as Stored<Agent>[], cursor: page.cursor }
}

/** Agents that offer a capability; up to 200, the newest. */
export const agentsOffering = async (
  ports: Pick<Platform, 'main'>,
  tenant: string,
  capability: string,
): Promise<Stored<Agent>[]> => (await pageOfOffers(ports, { tenant, capability, limit: 200 })).agents
