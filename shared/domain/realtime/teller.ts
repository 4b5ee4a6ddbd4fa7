import type { Change } from '../../platform/platform.ts'
import { type News, type TellPorts, tell } from './tell.ts'
import { type Told, toldOf } from './topics.ts'

export type Teller = {
  /** Resolves when it was told. Never throws: whoever missed something is told to read again. */
  note(changes: Change[]): Promise<void>
}

/** Between one round of telling and the next: an entity that changes more often is told once. */
const everyMs = 250
/** Of more that waits to be told of one topic, whoever watches the topic is told to read it again. */
const mostPending = 5000
const tries = 3
/** So many rounds follow by themselves while something cannot be told; it is told with the next changes then. */
const mostRounds = 20

const resyncOf = ({ tenant, topic }: News): News => ({ tenant, topic, frames: { type: 'resync', topic } })

const keyOf = ({ tenant, topic }: Pick<News, 'tenant' | 'topic'>): string => `${tenant}\n${topic}`

/** What waits to be told, the latest of each entity. */
const createPending = () => {
  let topics = new Map<string, News>()
  return {
    add({ tenant, topic, id, frame, once }: Told): void {
      const key = keyOf({ tenant, topic })
      const news = topics.get(key) ?? { tenant, topic, frames: new Map(), ...(once && { once }) }
      topics.set(key, news)
      if ('type' in news.frames) return
      news.frames.delete(id)
      news.frames.set(id, frame)
      if (news.frames.size > mostPending) topics.set(key, resyncOf(news))
    },
    /** Whoever watches the topic of what could not be told is told to read it again, with what is told next. */
    missed(news: News[]): void {
      for (const one of news) topics.set(keyOf(one), resyncOf(one))
    },
    take(): News[] {
      const all = [...topics.values()]
      topics = new Map()
      return all
    },
  }
}

/** Tells whoever watches of changes: at once, and what follows within 250 ms together. */
export const createTeller = (ports: TellPorts): Teller => {
  const { clock, telemetry } = ports
  const pending = createPending()
  let next: Promise<void> | undefined
  let last: Promise<void> = Promise.resolve()
  let toldAt = 0
  let rounds = 0

  const round = async (before: Promise<void>): Promise<void> => {
    await before
    const wait = Math.min(toldAt + everyMs - clock.now(), everyMs) // no longer when the clock was set back
    if (wait > 0) await clock.sleep(wait)
    next = undefined
    toldAt = clock.now()
    const left = await tellPatiently(ports, pending.take())
    pending.missed(left)
    rounds = left.length > 0 ? rounds + 1 : 0
    if (rounds > 0 && rounds < mostRounds) void begin()
  }
  const begin = (): Promise<void> => {
    next ??= last = round(last).catch((error: unknown) =>
      telemetry.log('error', 'changes were not told', { error: String(error) }),
    )
    return next
  }
  return {
    async note(changes) {
      for (const told of changes.flatMap(toldOf)) pending.add(told)
      await begin()
    },
  }
}

/** Answers what could not be told. */
const tellPatiently = async (ports: TellPorts, news: News[]): Promise<News[]> => {
  let left = news
  for (let round = 1; left.length > 0 && round <= tries; round++) {
    if (round > 1) await ports.clock.sleep(everyMs * (round - 1))
    left = await tellOnce(ports, left)
  }
  return left
}

const tellOnce = async (ports: TellPorts, news: News[]): Promise<News[]> => {
  try {
    return await tell(ports, news)
  } catch (error) {
    ports.telemetry.log('error', 'changes were not told', { error: String(error) })
    return news
  }
}
