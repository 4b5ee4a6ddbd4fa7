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

/** What waits to be told, the latest of each entity. */
const createPending = () => {
  let topics = new Map<string, News>()
  return {
    add({ tenant, topic, id, frame, once }: Told): void {
      const key = `${tenant}\n${topic}`
      const news = topics.get(key) ?? { tenant, topic, frames: new Map(), ...(once && { once }) }
      topics.set(key, news)
      if ('type' in news.frames) return
      news.frames.delete(id)
      news.frames.set(id, frame)
      if (news.frames.size > mostPending) topics.set(key, { tenant, topic, frames: { type: 'resync', topic } })
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

  const round = async (before: Promise<void>): Promise<void> => {
    await before
    const wait = toldAt + everyMs - clock.now()
    if (wait > 0) await clock.sleep(wait)
    next = undefined
    toldAt = clock.now()
    await tellPatiently(ports, pending.take())
  }
  return {
    async note(changes) {
      for (const told of changes.flatMap(toldOf)) pending.add(told)
      next ??= last = round(last)
      await next.catch((error: unknown) => telemetry.log('error', 'changes were not told', { error: String(error) }))
    },
  }
}

const tellPatiently = async (ports: TellPorts, news: News[]): Promise<void> => {
  for (let round = 1; news.length > 0; round++)
    try {
      return await tell(ports, news)
    } catch (error) {
      ports.telemetry.log('error', 'changes were not told', { round, error: String(error) })
      if (round === tries) return
      await ports.clock.sleep(everyMs * round)
    }
}
