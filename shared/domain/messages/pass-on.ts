import { orThrow } from '../domain-error.ts'
import { nextHops } from '../topics/topic.ts'
import { kindOfRecipient, type Recipient } from './message.ts'

/**
 * What a message has passed when it is sent on, to whomever; a way that is too long is refused, for else two agents
 * could answer each other for ever. A topic counts itself.
 */
export const passOnTo = (passed: string[], to: Recipient): string[] =>
  'topic' in to ? passed : orThrow(nextHops(passed, nameOf(to)))

const nameOf = (to: Recipient): string =>
  'filter' in to ? 'broadcast' : `${kindOfRecipient(to)}:${Object.values(to)[0]}`
