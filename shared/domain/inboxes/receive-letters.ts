import type { CloudEvent, Platform, Stored } from '../../platform/platform.ts'
import { firstThatFit, sizeOfBody } from '../bodies/answer-room.ts'
import { loadBody } from '../bodies/body.ts'
import { newRev } from '../ids.ts'
import { toCloudEvent } from '../messages/envelope.ts'
import { type Inbox, type Letter, take } from './letter.ts'
import {
  addToCount,
  countOf,
  letterPk,
  listOpenLetters,
  nextVisibleAt,
  receivable,
  untilChanged,
} from './letter-store.ts'
import { saveLetter } from './save-letter.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'objects' | 'clock' | 'random'>

/** A letter as its receiver gets it. */
export type Delivered = { letter: Letter; event: CloudEvent }

/** What others may have taken meanwhile is read on top. */
const spare = 20
/** How long a wait goes without a look. */
const lookEveryMs = 1000

/** Hands one letter out; `undefined`: somebody else has it, or it is dead now. */
const takeOne = async (ports: Ports, inbox: Inbox, found: Stored<Letter>): Promise<Letter | undefined> => {
  const now = ports.clock.now()
  const { state, behind, visibleAt } = found.value
  if (state !== 'WAITING' || behind || visibleAt > now) return undefined // the index may lag
  const receipt = `${found.value.id}.${newRev(ports)}`
  const next = take(found.value, { ...inbox, now, receipt })
  const saved = await saveLetter(ports, found, next)
  if (saved === undefined) return undefined
  if (next.state === 'WAITING') return next
  await addToCount(ports, inbox, -1)
  return undefined
}

/** What the data of a letter takes of an answer. */
const bytesOf = ({ references }: Inbox, { data }: Letter): number =>
  references && data.in === 'object' ? 0 : sizeOfBody(data)

const takeSome = async (ports: Ports, inbox: Inbox, max: number): Promise<Letter[]> => {
  const taken: Letter[] = []
  let cursor: string | undefined
  do {
    const page = await receivable(ports, inbox, { now: ports.clock.now(), limit: max + spare, cursor })
    for (let at = 0; at < page.items.length && taken.length < max; ) {
      const left = page.items.slice(at, at + max - taken.length)
      const before = taken.reduce((sum, letter) => sum + bytesOf(inbox, letter), 0)
      const some = firstThatFit(left, ({ value }) => bytesOf(inbox, value), before)
      if (some.length === 0) return taken
      const letters = await Promise.all(some.map((found) => takeOne(ports, inbox, found)))
      taken.push(...letters.filter((letter) => letter !== undefined))
      at += some.length
    }
    cursor = page.cursor
  } while (taken.length < max && cursor !== undefined)
  return taken
}

const byReference = ({ data: _, ...event }: CloudEvent, object: string): CloudEvent => ({
  ...event,
  dataref: `/api/v2/objects/${object}`,
})

/** A letter with the data of its message. */
const openLetter = async (
  ports: Pick<Platform, 'main' | 'objects'>,
  { references }: Inbox,
  letter: Letter,
): Promise<Delivered> => {
  if (references && letter.data.in === 'object')
    return { letter, event: byReference(toCloudEvent(letter, undefined), letter.data.id) }
  const { tenant, id, data: body, dataPk = letterPk(tenant, id) } = letter
  return { letter, event: toCloudEvent(letter, await loadBody(ports, { tenant, pk: dataPk, body })) }
}

/** Letters as they wait, taken by nobody. */
export const peekLetters = async (
  ports: Pick<Platform, 'main' | 'objects'>,
  inbox: Inbox,
  max: number,
): Promise<Delivered[]> => {
  const { items } = await listOpenLetters(ports, inbox, { limit: max })
  return Promise.all(items.map(({ value }) => openLetter(ports, inbox, value)))
}

export type Receive = { max: number; visibilityMs?: number; waitMs: number; signal?: AbortSignal }

/** Hands out letters, each to one receiver until its time of visibility is over; waits for the first one. */
export const receiveLetters = async (
  ports: Ports,
  inbox: Inbox,
  { max, visibilityMs = inbox.visibilityMs, waitMs, signal }: Receive,
): Promise<Delivered[]> => {
  const until = ports.clock.now() + waitMs
  while (true) {
    const than = (await countOf(ports, inbox))?.rev
    const taken = await takeSome(ports, { ...inbox, visibilityMs }, max)
    const left = until - ports.clock.now()
    if (taken.length > 0) return Promise.all(taken.map((letter) => openLetter(ports, inbox, letter)))
    if (left <= 0 || signal?.aborted) return []
    const now = ports.clock.now()
    const back = ((await nextVisibleAt(ports, inbox, now)) ?? until) - now
    await untilChanged(ports, inbox, { than, ms: Math.max(1, Math.min(left, back, lookEveryMs)) })
  }
}
