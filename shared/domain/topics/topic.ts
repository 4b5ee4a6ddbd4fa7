import { type Refused, refuse } from '../domain-error.ts'

/** A message may pass so many topics and recipients. */
export const mostHops = 16
/** How long the messages of a topic can be replayed. */
export const retentionMs = 24 * 3_600_000

/** Whether a subscription to `wanted` is one to this topic: its name, or a beginning followed by `*`. */
export const isTopic = (wanted: string, topic: string): boolean =>
  wanted.endsWith('*') ? topic.startsWith(wanted.slice(0, -1)) : wanted === topic

/** The shortest way from a topic or recipient back to itself, at the end of those that were passed. */
const cycleOf = (hops: string[]): string[] => {
  const last = hops.at(-1)
  const from = hops.lastIndexOf(last ?? '', hops.length - 2)
  return from < 0 ? [] : hops.slice(from)
}

/** What a message has passed when it comes to one more; refused when it is too much. */
export const nextHops = (passed: readonly string[], topic: string): string[] | Refused => {
  const hops = [...passed, topic]
  if (hops.length <= mostHops) return hops
  const cycle = cycleOf(hops)
  const way = cycle.length > 0 ? `it goes round in ${cycle.join(' → ')}` : `it passed ${hops.join(' → ')}`
  return refuse('HOP_LIMIT', `a message is passed on ${mostHops} times at most; ${way}`)
}
