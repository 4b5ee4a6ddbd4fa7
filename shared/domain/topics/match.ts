/** One message that one subscription matched, on its way to the target. Times in milliseconds. */
export type Match = {
  id: string
  tenant: string
  subscription: string
  /** The publication it is one of. */
  publication: string
  message: string
  /** The replay that made it, if one did. */
  replay?: string
  state: MatchState
  tries: number
  /** What it became: the id of a task, a delivery, a message. */
  became?: string
  /** Why it is not delivered, or was not at first. */
  reason?: { code: string; message: string }
  dueAt?: number
  createdAt: number
}
export type MatchState = 'PENDING' | 'DELIVERED' | 'DEAD'

/** So often is a match tried, over some two hours. */
export const mostTries = 8
const firstPauseMs = 1000
const longestPauseMs = 3_600_000
const factor = 4

/** A target failed in passing: it is tried again after a growing pause, and is a dead letter in the end. */
export const putOff = (
  match: Match,
  reason: Match['reason'],
  { now, random }: { now: number; random: number },
): Match => {
  const tries = match.tries + 1
  if (tries >= mostTries) return { ...match, tries, reason, state: 'DEAD', dueAt: undefined }
  const pause = Math.min(firstPauseMs * factor ** match.tries, longestPauseMs)
  return { ...match, tries, reason, state: 'PENDING', dueAt: now + Math.round(pause * (0.5 + random / 2)) }
}

/** It can never be delivered. */
export const giveUp = (match: Match, reason: Match['reason']): Match => ({
  ...match,
  tries: match.tries + 1,
  reason,
  state: 'DEAD',
  dueAt: undefined,
})

/** It arrived. */
export const arrive = (match: Match, became: string | undefined): Match => ({
  ...match,
  tries: match.tries + 1,
  state: 'DELIVERED',
  dueAt: undefined,
  reason: undefined,
  ...(became !== undefined && { became }),
})

/** A dead letter is tried again from the beginning. */
export const redrive = (match: Match, now: number): Match => ({ ...match, state: 'PENDING', tries: 0, dueAt: now })
