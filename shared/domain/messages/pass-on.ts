import { orThrow } from '../domain-error.ts'
import { nextHops } from '../topics/topic.ts'
import type { Recipient } from './message.ts'

/** What a message has passed when it is sent on; a way that is too long is refused. A topic counts itself. */
export const passOnTo = (passed: string[], to: Recipient): string[] =>
  'agent' in to ? orThrow(nextHops(passed, `agent:${to.agent}`)) : passed
