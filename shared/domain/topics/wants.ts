import type { Platform, Stored } from '../../platform/platform.ts'
import { readPattern } from '../patterns/pattern.ts'
import { processMemory } from '../process-memory.ts'
import type { Subscription } from './subscription.ts'

type Wanted = (event: object) => boolean
const patterns = processMemory<Wanted>()

/** Whether a subscription wants an event of its topics. */
export const wants = ({ main }: Pick<Platform, 'main'>, { value, rev }: Stored<Subscription>): Wanted => {
  if (value.pattern === undefined) return () => true
  const memory = patterns(main)
  const known = memory.get(rev)
  if (known) return known
  const read = readPattern(value.pattern)
  const wanted = 'matches' in read ? read.matches : () => false
  memory.set(rev, wanted)
  return wanted
}
