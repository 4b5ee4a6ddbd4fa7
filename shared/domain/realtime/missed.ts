import type { Platform } from '../../platform/platform.ts'
import { sortableTime } from '../keys.ts'
import type { ServerFrame } from './frame.ts'

/** Of more that were missed a client is told to read them elsewhere. */
export const mostMissed = 100
/** Writers' clocks are not the same: what was stored shortly before is told again. */
const overlapMs = 5000

/** The place of something that was told, to go on after. */
export const placeOf = ({ createdAt, id }: { createdAt: number; id: string }): string =>
  `${sortableTime(createdAt)}#${id}`
/** The place of whatever is stored from now on. */
export const placeAt = (now: number): string => `${sortableTime(now)}#`

type Between = { from: number; to: number; limit: number }
type Found = { items: (() => Promise<ServerFrame>)[]; cursor?: string }

/** What came after a place of a topic, or that it is too much. Some may have been told before. */
export const missed = async (
  { clock }: Pick<Platform, 'clock'>,
  { topic, since }: { topic: string; since: string },
  find: (between: Between) => Promise<Found>,
): Promise<ServerFrame[]> => {
  const from = Number.parseInt(since, 10)
  const resync: ServerFrame = { type: 'resync', topic }
  if (!Number.isFinite(from)) return [resync]
  const { items, cursor } = await find({ from: from - overlapMs, to: clock.now() + overlapMs, limit: mostMissed })
  return cursor === undefined ? Promise.all(items.map((frame) => frame())) : [resync]
}
