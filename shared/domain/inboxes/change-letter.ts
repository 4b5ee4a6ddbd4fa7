import type { Platform, Stored } from '../../platform/platform.ts'
import { compete } from '../contention.ts'
import { type Letter, revive } from './letter.ts'
import { addToCount, findLetter } from './letter-store.ts'
import { saveLetter } from './save-letter.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random'>

/** Changes a letter until nobody else came first; one that waits no more counts no more. `undefined`: there is none. */
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
  if (start?.value.state === 'WAITING' && changed !== undefined && changed.state !== 'WAITING')
    await addToCount(ports, { tenant, id: changed.inbox }, -1)
  return changed
}

/** Lets a letter wait again if it is one that may; who asks has a place for it. `false`: it may not. */
export const reviveLetter = async (
  ports: Ports,
  of: { tenant: string; id: string },
  may: (letter: Letter) => boolean,
  more: Partial<Letter> = {},
): Promise<boolean> => {
  let isRevived = false
  await changeLetter(ports, of, (letter) => {
    isRevived = may(letter)
    return isRevived ? { ...revive(letter, ports.clock.now()), ...more } : letter
  })
  return isRevived
}
