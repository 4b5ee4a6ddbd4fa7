import { idOfKey } from '#shared/platform/id-of-key.ts'
import type { Change, ChangeFeed, Random } from '#shared/platform/platform.ts'

const keyOf = ({ key }: Change): string => idOfKey(key)

/** Any order across keys; the order of each key stays. */
const shuffled = (changes: Change[], random: Random): Change[] => {
  const lines = [...Map.groupBy(changes, keyOf).values()]
  const mixed: Change[] = []
  while (lines.length > 0) {
    const at = Math.floor(random.number() * lines.length)
    const next = lines[at]?.shift()
    if (next) mixed.push(next)
    if (lines[at]?.length === 0) lines.splice(at, 1)
  }
  return mixed
}

/** Cuts a list into pieces of random lengths. */
const cut = (changes: Change[], random: Random): Change[][] => {
  const pieces: Change[][] = []
  for (let rest = changes; rest.length > 0; ) {
    const length = 1 + Math.floor(random.number() * rest.length)
    pieces.push(rest.slice(0, length))
    rest = rest.slice(length)
  }
  return pieces
}

/**
 * A feed that takes every freedom its contract gives: other batches, any order across keys, and changes that were
 * handled already once more (from some point on, as after a crash before the checkpoint was saved).
 */
export const createUnrulyFeed = (feed: ChangeFeed, random: Random): ChangeFeed => ({
  consume(consumer, handle, only) {
    const unruly = async (batch: Change[]): Promise<string[]> => {
      const failed = new Set<string>()
      const held = new Set<string>()
      for (const piece of cut(shuffled(batch, random), random)) {
        const ready = piece.filter((change) => !held.has(keyOf(change)))
        const answer = new Set(ready.length > 0 ? await handle(ready) : [])
        for (const change of piece)
          if (answer.has(change.id) || held.has(keyOf(change))) {
            failed.add(change.id)
            held.add(keyOf(change))
          }
      }
      if (failed.size === 0 && random.number() < 0.3) return handle(batch)
      return [...failed]
    }
    return feed.consume(consumer, unruly, only)
  },
})
