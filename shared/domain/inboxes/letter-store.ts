import type { Item, Key, Page, Platform, Put, Stored } from '../../platform/platform.ts'
import { saveItem } from '../contention.ts'
import { newRev } from '../ids.ts'
import { sortableTime } from '../keys.ts'
import type { Inbox, Letter } from './letter.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>
type Paging = { limit: number; cursor?: string }
type Place = Pick<Inbox, 'tenant' | 'id'>

/** A letter is forgotten after this time, wherever it is: what was acknowledged is known again until then. */
const keepMs = 14 * 24 * 3_600_000

export const letterPk = (tenant: string, id: string): string => `${tenant}#letter#${id}`
const letterKey = (tenant: string, id: string): Key => ({ pk: letterPk(tenant, id), sk: 'head' })
const waitingPk = ({ tenant, id }: Place): string => `${tenant}#letters#${id}`
const deadPk = ({ tenant, id }: Place): string => `${tenant}#dead-letters#${id}`

const indexOf = ({ tenant, id, inbox, state, visibleAt, createdAt }: Letter): Item['index'] => {
  const place = { tenant, id: inbox }
  if (state === 'WAITING') return { holder: { pk: waitingPk(place), sk: `${sortableTime(visibleAt)}#${id}` } }
  if (state === 'DEAD') return { holder: { pk: deadPk(place), sk: `${sortableTime(createdAt)}#${id}` } }
  return undefined
}

const letterItem = (letter: Letter): Item<Letter> => {
  const index = indexOf(letter)
  return {
    ...letterKey(letter.tenant, letter.id),
    type: 'letter',
    value: letter,
    ...(index && { index }),
    expiresAt: letter.createdAt + keepMs,
  }
}

/** Stores a new letter with its body; `false`: it was there already. */
export const createLetter = async (ports: Ports, letter: Letter, items: Item[]): Promise<boolean> => {
  const { expiresAt, ...item } = letterItem(letter)
  const head: Put = { op: 'put', item: { ...item, expiresAt }, expect: 'absent', rev: newRev(ports) }
  const bodies = items.map((body): Put => ({ op: 'put', item: { ...body, expiresAt }, expect: 'any' }))
  const outcome = bodies.length === 0 ? await ports.main.write(head) : await ports.main.transact([head, ...bodies])
  return outcome.ok
}

export const findLetter = (
  { main }: Pick<Platform, 'main'>,
  tenant: string,
  id: string,
): Promise<Stored<Letter> | undefined> => main.get<Letter>(letterKey(tenant, id))

/** Saves a changed letter if nobody else did; `undefined`: somebody came first. */
export const saveLetter = (
  ports: Ports,
  found: Pick<Stored, 'rev'>,
  letter: Letter,
): Promise<Stored<Letter> | undefined> => saveItem(ports, found, letterItem(letter))

/** Letters that may be received at `now`, the longest waiting first. */
export const receivable = (
  { main }: Pick<Platform, 'main'>,
  inbox: Place,
  { now, ...page }: Paging & { now: number },
): Promise<Page<Letter>> =>
  main.query<Letter>({ index: 'holder', pk: waitingPk(inbox), before: `${sortableTime(now + 1)}#`, ...page })

/** Newest first. */
export const listDeadLetters = ({ main }: Pick<Platform, 'main'>, inbox: Place, page: Paging): Promise<Page<Letter>> =>
  main.query<Letter>({ index: 'holder', pk: deadPk(inbox), order: 'descending', ...page })

const pageSize = 1000

const count = async ({ main }: Pick<Platform, 'main'>, pk: string, bounds: object = {}): Promise<number> => {
  let total = 0
  let cursor: string | undefined
  do {
    const page = await main.queryKeys({ index: 'holder', pk, limit: pageSize, cursor, ...bounds })
    total += page.items.length
    cursor = page.cursor
  } while (cursor !== undefined)
  return total
}

/** How many wait, are with somebody, and are dead. */
export const countLetters = async (
  ports: Pick<Platform, 'main' | 'clock'>,
  inbox: Place,
): Promise<{ waiting: number; inFlight: number; dead: number }> => {
  const edge = `${sortableTime(ports.clock.now() + 1)}#`
  const [waiting, inFlight, dead] = await Promise.all([
    count(ports, waitingPk(inbox), { before: edge }),
    count(ports, waitingPk(inbox), { after: edge }),
    count(ports, deadPk(inbox)),
  ])
  return { waiting, inFlight, dead }
}

const counterKey = ({ tenant, id }: Place): Key => ({ pk: `${tenant}#inbox#${id}`, sk: 'counter' })

/** Changes how many letters an inbox has. Whoever waits for one sees it. */
export const addToCount = async ({ volatile }: Pick<Platform, 'volatile'>, inbox: Place, by: 1 | -1): Promise<void> => {
  await volatile.add(counterKey(inbox), by, by > 0 ? {} : { min: 0 })
}

export const countOf = ({ volatile }: Pick<Platform, 'volatile'>, inbox: Place): Promise<Stored<number> | undefined> =>
  volatile.get<number>(counterKey(inbox))

/** Puts a count right that a death left too high. */
export const correctCount = async (
  { volatile }: Pick<Platform, 'volatile'>,
  counted: Stored<number>,
  value: number,
): Promise<void> => {
  await volatile.write({ op: 'put', item: { ...counted, value }, expect: { rev: counted.rev } })
}

/** Resolves when something came or went, or after a while. */
export const untilChanged = async (
  { volatile }: Pick<Platform, 'volatile'>,
  inbox: Place,
  { than, ms }: { than: string | undefined; ms: number },
): Promise<void> => {
  await volatile.waitForChange(counterKey(inbox), than, ms)
}
