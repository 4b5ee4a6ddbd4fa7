import type { Agent } from '../agents/agent.ts'
import { findAgent, putOffMail } from '../agents/agent-store.ts'
import { type DeadReason, isForTask, isHeld, type Letter } from '../inboxes/letter.ts'
import { listOpenLetters } from '../inboxes/letter-store.ts'
import { sideBySide } from '../side-by-side.ts'
import type { MessagePorts } from './deliverers.ts'
import { failLetter } from './fail-letter.ts'

const pageSize = 100
const atOnce = 50
/** How long one pass works before it lets others. */
const passMs = 20_000
/** Until then what was under way to the agent has arrived, and what was received comes back. */
const lookAgainMs = 60_000

/** Why nobody gets the mail of an agent that is gone. */
export const goneReason = ({ name, id }: Pick<Agent, 'name' | 'id'>): DeadReason => ({
  code: 'NO_CAPABLE_AGENT',
  message: `agent ${name} (${id}) is decommissioned`,
})

/** Those behind others go first: then nobody has to be given the turn of whoever came before. */
const failAll = async (ports: MessagePorts, letters: Letter[], reason: DeadReason): Promise<void> => {
  for (const isBehind of [true, false]) {
    const some = letters.filter(({ behind = false }) => behind === isBehind)
    await sideBySide(some, atOnce, (letter) => failLetter(ports, letter, reason))
  }
}

/** Gives up what waits. `true`: some is left, with a receiver until it comes back, or with a task, which is its end. */
const close = async (ports: MessagePorts, agent: Agent): Promise<boolean> => {
  const until = ports.clock.now() + passMs
  let isLeft = false
  let cursor: string | undefined
  do {
    const page = await listOpenLetters(ports, agent, { limit: pageSize, cursor })
    const letters = page.items.map(({ value }) => value)
    const waiting = letters.filter((letter) => !isForTask(letter) && !isHeld(letter, ports.clock.now()))
    await failAll(ports, waiting, goneReason(agent))
    isLeft ||= waiting.length < letters.length
    cursor = page.cursor
  } while (cursor !== undefined && ports.clock.now() < until)
  return isLeft || cursor !== undefined
}

/** Makes dead letters of what an agent that is gone leaves. Whoever breaks off is followed by another. */
export const attendMailbox = async (ports: MessagePorts, tenant: string, id: string): Promise<void> => {
  const found = await findAgent(ports, tenant, id)
  const { decommissionedAt, dueAt } = found?.value ?? {}
  const now = ports.clock.now()
  if (found === undefined || decommissionedAt === undefined || dueAt === undefined || dueAt > now) return
  const claimed = await putOffMail(ports, found, now + lookAgainMs)
  if (claimed === undefined) return
  const isLeft = await close(ports, found.value)
  if (!isLeft && dueAt >= decommissionedAt + lookAgainMs) await putOffMail(ports, claimed, undefined)
}
