import type { Platform } from '../../platform/platform.ts'
import { processMemory } from '../process-memory.ts'
import { recountPlaces } from './places.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random'>

/** A recount that found nothing is not tried again for so long, then for twice as long, up to a minute. */
const pauses = { firstMs: 10_000, longestMs: 60_000 }
const recounts = processMemory<{ at: number; pauseMs: number }>()

/** Recounts a limit that refused, unless this process did lately. `true`: there is a place. */
export const recountWhenStuck = async (ports: Ports, tenant: string, limit: string): Promise<boolean> => {
  const known = recounts(ports.volatile)
  const id = `${tenant}#${limit}`
  const now = ports.clock.now()
  const last = known.get(id)
  if (last !== undefined && now - last.at < last.pauseMs) return false
  const pauseMs = Math.min(pauses.longestMs, last === undefined ? pauses.firstMs : last.pauseMs * 2)
  known.set(id, { at: now, pauseMs })
  const found = (await recountPlaces(ports, tenant, limit)) > 0
  if (found) known.delete(id)
  return found
}
