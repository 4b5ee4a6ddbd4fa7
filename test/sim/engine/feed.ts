import type { Change } from '#shared/platform/platform.ts'
import type { Seeded } from './random.ts'
import type { Commit } from './table.ts'

const keyOf = ({ key }: Change): string => `${key.pk}\n${key.sk}`

/** Any order across keys; the order of each key stays. */
const shuffled = (changes: Change[], random: Seeded): Change[] => {
  const lines = [...Map.groupBy(changes, keyOf).values()]
  const mixed: Change[] = []
  while (lines.length > 0) {
    const at = random.below(lines.length)
    const line = lines[at] as Change[]
    mixed.push(line.shift() as Change)
    if (line.length === 0) lines.splice(at, 1)
  }
  return mixed
}

/** The log of changes and how far its one consumer is: what lies behind the checkpoint comes again after a fault. */
export const createSimFeed = ({ random, types }: { random: Seeded; types: readonly string[] }) => {
  const log: Change[] = []
  let checkpoint = 0
  let wake = (): void => undefined
  return {
    append({ key, type, before, after }: Commit): void {
      if (!types.includes(type)) return
      log.push({ id: `chg-${log.length}`, key, type, before, after })
      wake()
    },
    pending: (): number => log.length - checkpoint,
    /** Resolves with the next change, if none is waiting. */
    something: (): Promise<void> =>
      new Promise((resolve) => {
        wake = resolve
        if (log.length > checkpoint) resolve()
      }),
    /** The next changes, in an order of the feed's own. */
    next(limit: number): { changes: Change[]; from: number } {
      return { changes: shuffled(log.slice(checkpoint, checkpoint + limit), random), from: checkpoint }
    },
    /** Everything before the first failed one is done; that and all that follow come again. */
    done(from: number, count: number, failed: string[]): void {
      const numbers = failed.map((id) => Number(id.slice(4)))
      checkpoint = Math.max(checkpoint, Math.min(from + count, ...numbers))
    },
    /** Delivers the last `count` changes once more. */
    rewind(count: number): void {
      checkpoint = Math.max(0, checkpoint - count)
      wake()
    },
    backup: () => ({ log: [...log], checkpoint }),
    /** Also to a later backup than what was restored before. */
    restore(backup: { log: Change[]; checkpoint: number }): void {
      log.splice(0, log.length, ...backup.log)
      checkpoint = backup.checkpoint
    },
  }
}
export type SimFeed = ReturnType<typeof createSimFeed>
