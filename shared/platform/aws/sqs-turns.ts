import type { ReceiveOptions } from '../platform.ts'

type Turn = Pick<ReceiveOptions, 'queues' | 'aging'>

/** Whose turn it is among lanes: how many messages came since lower lanes were looked at first, by the highest lane. */
export const createSqsTurns = () => {
  const since = new Map<string, number>()
  const sinceOf = ({ queues }: Turn): number => since.get(queues[0] ?? '') ?? 0
  return {
    /** Answers once that the time has come, and counts anew. */
    isDue(turn: Turn): boolean {
      const due = turn.aging !== undefined && turn.queues.length > 1 && sinceOf(turn) >= turn.aging.oneIn - 1
      if (due) since.delete(turn.queues[0] ?? '')
      return due
    },
    count(turn: Turn, received: number): void {
      if (turn.aging && received > 0) since.set(turn.queues[0] ?? '', sinceOf(turn) + received)
    },
  }
}

export type SqsTurns = ReturnType<typeof createSqsTurns>
