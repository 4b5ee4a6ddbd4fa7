import type { CloudEvent, Platform, Stored } from '../../platform/platform.ts'
import { loadBody } from '../bodies/body.ts'
import { newRev } from '../ids.ts'
import { toCloudEvent } from '../messages/envelope.ts'
import { type Inbox, type Letter, take } from './letter.ts'
import { addToCount, countOf, letterPk, receivable, saveLetter, untilChanged } from './letter-store.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'objects' | 'clock' | 'random'>

/** A letter as its receiver gets it. */
export type Delivered = { letter: Letter; event: CloudEvent }

/** What others may have taken meanwhile is read on top. */
const spare = 20
/** How long a wait goes without a look: what comes back to the inbox by itself wakes nobody. */
const lookEveryMs = 1000

/** Hands one letter out; `undefined`: somebody else has it, or it is dead now. */
const takeOne = async (ports: Ports, inbox: Inbox, found: Stored<Letter>): Promise<Letter | undefined> => {
  const now = ports.clock.now()
  if (found.value.state !== 'WAITING' || found.value.visibleAt > now) return undefined
  const receipt = `${found.value.id}.${newRev(ports)}`
  const next = take(found.value, { ...inbox, now, receipt })
  const saved = await saveLetter(ports, found, next)
  if (saved === undefined) return undefined
  if (next.state === 'WAITING') return next
  await addToCount(ports, inbox, -1)
  return undefined
}

const takeSome = async (ports: Ports, inbox: Inbox, max: number): Promise<Letter[]> => {
  const taken: Letter[] = []
  let cursor: string | undefined
  do {
    const page = await receivable(ports, inbox, { now: ports.clock.now(), limit: max + spare, cursor })
    for (const found of page.items) {
      const letter = taken.length < max ? await takeOne(ports, inbox, found) : undefined
      if (letter) taken.push(letter)
    }
    cursor = page.cursor
  } while (taken.length < max && cursor !== undefined)
  return taken
}

const open = async (ports: Ports, letter: Letter): Promise<Delivered> => {
  const { tenant, id, data: body } = letter
  return { letter, event: toCloudEvent(letter, await loadBody(ports, { tenant, pk: letterPk(tenant, id), body })) }
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
    if (taken.length > 0) return Promise.all(taken.map((letter) => open(ports, letter)))
    if (left <= 0 || signal?.aborted) return []
    await untilChanged(ports, inbox, { than, ms: Math.min(left, lookEveryMs) })
  }
}
