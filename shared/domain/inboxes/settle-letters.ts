import type { Platform } from '../../platform/platform.ts'
import { compete } from '../contention.ts'
import { type DomainErrorCode, isRefused, type Refused } from '../domain-error.ts'
import { reviveLetter } from './change-letter.ts'
import { acknowledge, extend, type Inbox, type Letter } from './letter.ts'
import { addToCount, findLetter, listDeadLetters } from './letter-store.ts'
import { ifRoom } from './room.ts'
import { saveLetter } from './save-letter.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random'>

export type Settled =
  | { receipt: string; ok: true }
  | { receipt: string; ok: false; code: DomainErrorCode; message: string }

const unknown = { refused: 'STALE_RECEIPT', message: 'there is no such letter here, or it is forgotten' } as const

/** Changes the letter of a receipt until nobody else came first. */
const change = async (
  ports: Ports,
  { tenant, id: inbox }: Inbox,
  receipt: string,
  move: (letter: Letter) => Letter | Refused,
): Promise<{ before: Letter; next: Letter } | Refused> => {
  const [id = ''] = receipt.split('.')
  return compete<{ before: Letter; next: Letter } | Refused>(ports, `letter ${id}`, async () => {
    const found = await findLetter(ports, tenant, id)
    if (found?.value.inbox !== inbox) return { done: unknown }
    const next = move(found.value)
    if (isRefused(next)) return { done: next }
    if (next === found.value) return { done: { before: next, next } }
    const saved = await saveLetter(ports, found, next)
    return saved && { done: { before: found.value, next } }
  })
}

const toSettled = (receipt: string, outcome: object | Refused): Settled =>
  isRefused(outcome) ? { receipt, ok: false, code: outcome.refused, message: outcome.message } : { receipt, ok: true }

/** What was received is done; it never comes again. One that another has received meanwhile stays theirs. */
export const acknowledgeLetters = (ports: Ports, inbox: Inbox, receipts: string[]): Promise<Settled[]> =>
  Promise.all(
    receipts.map(async (receipt) => {
      const now = ports.clock.now()
      const outcome = await change(ports, inbox, receipt, (letter) => acknowledge(letter, { now, receipt }))
      if (!isRefused(outcome) && outcome.before !== outcome.next) await addToCount(ports, inbox, -1)
      return toSettled(receipt, outcome)
    }),
  )

/** Keeps what was received from others for longer, from now on; 0 gives it back. */
export const extendLetters = (ports: Ports, inbox: Inbox, receipts: string[], ms: number): Promise<Settled[]> =>
  Promise.all(
    receipts.map(async (receipt) => {
      const now = ports.clock.now()
      return toSettled(receipt, await change(ports, inbox, receipt, (letter) => extend(letter, { now, receipt, ms })))
    }),
  )

/** Dead letters wait again, so many at most, while there is room. Answers how many. */
export const reviveLetters = async (ports: Ports, inbox: Inbox, limit: number): Promise<number> => {
  const { items } = await listDeadLetters(ports, inbox, { limit })
  const revived = await Promise.all(
    items.map(({ value }) => ifRoom(ports, inbox, () => reviveLetter(ports, value, ({ state }) => state === 'DEAD'))),
  )
  return revived.filter(Boolean).length
}
