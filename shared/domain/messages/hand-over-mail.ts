import type { Platform, Stored } from '../../platform/platform.ts'
import type { Agent } from '../agents/agent.ts'
import { findAgent } from '../agents/agent-store.ts'
import { systemStamp } from '../caller.ts'
import { DomainError } from '../domain-error.ts'
import { newRev } from '../ids.ts'
import { type Inbox, type Letter, revive } from '../inboxes/letter.ts'
import { findLetter, letterPk, listDeadLetters, putLetter } from '../inboxes/letter-store.ts'
import { letterIdOf, newLetter } from '../inboxes/new-letter.ts'
import { ifRoom } from '../inboxes/room.ts'
import { createLetter } from '../inboxes/save-letter.ts'
import { mailboxOf } from './mailbox.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random'>

const atOnce = 50

/**
 * Dead letters of an agent that is gone, those of these messages or the newest ones, wait again with whoever has its name
 * now, while there is room. Answers how many.
 */
export const handOverMail = async (ports: Ports, gone: Agent, messages: string[] | undefined): Promise<number> => {
  const { tenant, id, name } = gone
  const heir = (await findAgent(ports, tenant, name))?.value
  if (heir === undefined)
    throw new DomainError('CONFLICT', `agent ${name} is decommissioned; register one of that name, then redrive ${id}`)
  const dead = await deadLetters(ports, gone, messages)
  const inbox = mailboxOf(heir)
  const handed = await Promise.all(dead.map((found) => ifRoom(ports, inbox, () => handOver(ports, found, inbox))))
  return handed.filter(Boolean).length
}

const deadLetters = async (ports: Ports, gone: Agent, messages: string[] | undefined): Promise<Stored<Letter>[]> => {
  if (messages === undefined) return (await listDeadLetters(ports, gone, { limit: atOnce })).items
  const found = await Promise.all(messages.map((message) => findLetter(ports, gone.tenant, letterIdOf(gone, message))))
  return found.filter((letter) => letter?.value.state === 'DEAD') as Stored<Letter>[]
}

/** Its data stays where it is, and is forgotten when it would have been. */
const handOver = (ports: Ports, { value: dead, rev }: Stored<Letter>, inbox: Inbox): Promise<boolean> => {
  const now = ports.clock.now()
  const { tenant, id, createdAt, dataPk = letterPk(tenant, id) } = dead
  const { conversation: _, ...letter } = newLetter(ports, inbox, { ...revive(dead, now), dataPk })
  const stamp = systemStamp('letter.hand-over')
  const done: Letter = { ...dead, state: 'DONE', reason: undefined, settledAt: now, stamp }
  return createLetter(ports, { ...letter, createdAt }, { along: [putLetter(done, { rev }, newRev(ports))] })
}
