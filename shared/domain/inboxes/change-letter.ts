import type { Platform, Stored } from '../../platform/platform.ts'
import { compete } from '../contention.ts'
import type { Letter } from './letter.ts'
import { addToCount, findLetter } from './letter-store.ts'
import { saveLetter } from './save-letter.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random'>

const waits = ({ state }: Letter): boolean => state === 'WAITING'

/** Changes a letter until nobody else came first, and counts it if it waits now or no more. `undefined`: there is none. */
export const changeLetter = async (
  ports: Ports,
  { tenant, id }: { tenant: string; id: string },
  change: (letter: Letter) => Letter,
): Promise<Letter | undefined> => {
  let start: Stored<Letter> | undefined
  const changed = await compete<Letter | undefined>(ports, `letter ${id}`, async () => {
    start = await findLetter(ports, tenant, id)
    const next = start && change(start.value)
    if (start === undefined || next === undefined || next === start.value) return { done: next }
    const saved = await saveLetter(ports, start, next)
    return saved && { done: saved }
  })
  if (start && changed && waits(start.value) !== waits(changed))
    await addToCount(ports, { tenant, id: changed.inbox }, waits(changed) ? 1 : -1)
  return changed
}
