import type { Hands } from './people.ts'
import { drawWish } from './wish.ts'

/** The agents that messages are for, by name: the second has a mailbox and never runs. */
export const agentNames = ['worker', 'clerk'] as const
/** The agents have a handler for it, which is a task. */
export const handledType = 'work.wanted'
export const topics = ['news', 'news/today'] as const

type Said = { key: string; body: Record<string, unknown> }
type Draw = (hands: Hands, n: number) => Record<string, unknown>

const inSeconds = ({ random, now }: Hands, least: number, most: number): string =>
  new Date(now() + random.between(least, most) * 1000).toISOString()

/** A message for one agent, often one of a conversation, sometimes soon worth nothing. */
const note: Draw = (hands, n) => {
  const { random } = hands
  return {
    kind: 'event',
    to: random.chance(0.8) ? { agent: random.pick(agentNames) } : { capability: 'work' },
    type: 'note.taken',
    data: { n },
    ...(random.chance(0.7) && { conversation: random.pick(['a', 'b']) }),
    ...(random.chance(0.2) && { expiresAt: inSeconds(hands, 5, 60) }),
  }
}

const request: Draw = (hands, n) => ({
  kind: 'request',
  to: { agent: hands.random.pick(agentNames) },
  type: 'opinion.wanted',
  data: { n },
  ...(hands.random.chance(0.3) && { replyTo: 'clerk' }),
  ...(hands.random.chance(0.5) && { expiresAt: inSeconds(hands, 10, 90) }),
})

const broadcast: Draw = ({ random }, n) => ({
  kind: 'broadcast',
  to: { filter: random.pick([{}, { types: ['sim'] }, { labels: { side: 'back' } }]) },
  type: 'all.told',
  data: { n },
})

const publication: Draw = ({ random }, n) => ({
  kind: 'event',
  to: { topic: random.pick(topics) },
  type: 'news.heard',
  data: drawWish(random, { n }),
})

/** A message that its agent does a task for; some are requests, which the task answers. */
const handled: Draw = ({ random }, n) => ({
  kind: random.pick(['event', 'request']),
  to: { agent: 'worker' },
  type: handledType,
  data: drawWish(random, { n }),
  ...(random.chance(0.5) && { conversation: random.pick(['a', 'b']) }),
})

const draws: [number, Draw][] = [
  [0.4, note],
  [0.55, request],
  [0.65, broadcast],
  [0.88, publication],
  [1, handled],
]

/** Somebody who sends messages, sends them again when nobody answers, and puts back what nobody wanted. */
export const createTalker = (hands: Hands) => {
  const { send, sleep, random, principal, name } = hands
  const said: Said[] = []

  const say = async (one: Said): Promise<void> => {
    for (let tries = 1 + random.below(4); tries > 0; tries--) {
      const { status } = await send({ principal, operation: 'sendMessage', ...one, wait: random.pick([0, 5]) })
      if (status !== 0 && status < 500) return
      await sleep(random.between(50, 3000))
    }
  }
  const sayNew = async (): Promise<void> => {
    const ticket = random.number()
    const draw = draws.find(([below]) => ticket < below)?.[1] ?? note
    const one = { key: `${name}-m${said.length}`, body: { type: '', hops: [], ...draw(hands, said.length) } }
    said.push(one)
    await say(one)
  }
  const putBack = async (): Promise<void> => {
    await send({ principal, operation: 'redriveMail', params: { agent: random.pick(agentNames) }, body: {} })
  }
  return async (): Promise<void> => {
    const ticket = random.number()
    if (said.length === 0 || ticket < 0.75) return sayNew()
    if (ticket < 0.9) return say(random.pick(said))
    if (ticket < 0.95) return say({ ...random.pick(said), body: { ...random.pick(said).body, subject: 'another' } })
    await putBack()
  }
}
