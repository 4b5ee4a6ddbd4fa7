import type { IndexName, Item, Key, Page, Platform, Put, Stored } from '../../platform/platform.ts'
import { dueIndex } from '../dispatch/due.ts'
import { sortableTime } from '../keys.ts'
import { type Inbox, type Letter, positionOf } from './letter.ts'

type Paging = { limit: number; cursor?: string }
export type Place = Pick<Inbox, 'tenant' | 'id'>

/** A letter is forgotten after this time, wherever it is: what was acknowledged is known again until then. */
export const keepMs = 14 * 24 * 3_600_000

export const letterPk = (tenant: string, id: string): string => `${tenant}#letter#${id}`
const letterKey = (tenant: string, id: string): Key => ({ pk: letterPk(tenant, id), sk: 'head' })
const waitingPk = ({ tenant, id }: Place): string => `${tenant}#letters#${id}`
const openPk = ({ tenant, id }: Place): string => `${tenant}#open-letters#${id}`
const deadPk = ({ tenant, id }: Place): string => `${tenant}#dead-letters#${id}`
const ofMessagePk = (tenant: string, message: string): string => `${tenant}#letters-of#${message}`

/** Letters of one conversation wait behind its first one, where nobody receives them. */
const indexOf = (letter: Letter): NonNullable<Item['index']> => {
  const { tenant, id, inbox, state, behind, handled, dueAt, visibleAt, createdAt } = letter
  const place = { tenant, id: inbox }
  if (state === 'DEAD') return { holder: { pk: deadPk(place), sk: `${sortableTime(createdAt)}#${id}` } }
  if (state !== 'WAITING') return {}
  const open = { list: { pk: openPk(place), sk: positionOf(letter) } }
  if (handled) return { ...open, ...(dueAt !== undefined && { due: dueIndex(dueAt, tenant, id) }) }
  if (behind) return open
  return { ...open, holder: { pk: waitingPk(place), sk: `${sortableTime(visibleAt)}#${positionOf(letter)}` } }
}

const letterItem = (letter: Letter): Item<Letter> => {
  const { tenant, id, envelope, createdAt } = letter
  const parent = { pk: ofMessagePk(tenant, envelope.id), sk: `${sortableTime(createdAt)}#${id}` }
  return {
    ...letterKey(tenant, id),
    type: 'letter',
    value: letter,
    index: { ...indexOf(letter), parent },
    expiresAt: createdAt + keepMs,
  }
}

export const putLetter = (letter: Letter, expect: Put['expect'], rev?: string): Put => ({
  op: 'put',
  item: letterItem(letter),
  expect,
  ...(rev !== undefined && { rev }),
})

export const findLetter = (
  { main }: Pick<Platform, 'main'>,
  tenant: string,
  id: string,
): Promise<Stored<Letter> | undefined> => main.get<Letter>(letterKey(tenant, id))

/** Letters that may be received at `now`, the longest waiting first. */
export const receivable = (
  { main }: Pick<Platform, 'main'>,
  inbox: Place,
  { now, ...page }: Paging & { now: number },
): Promise<Page<Letter>> =>
  main.query<Letter>({ index: 'holder', pk: waitingPk(inbox), before: `${sortableTime(now + 1)}#`, ...page })

/** When the next letter comes back that is kept from others at `now`. */
export const nextVisibleAt = async (
  ports: Pick<Platform, 'main'>,
  inbox: Place,
  now: number,
): Promise<number | undefined> => (await heldLetters(ports, inbox, { now, limit: 1 })).items[0]?.value.visibleAt

/** Letters that somebody has, those first that come back first. */
export const heldLetters = (
  { main }: Pick<Platform, 'main'>,
  inbox: Place,
  { now, ...page }: Paging & { now: number },
): Promise<Page<Letter>> =>
  main.query<Letter>({ index: 'holder', pk: waitingPk(inbox), after: `${sortableTime(now + 1)}#`, ...page })

/** Everything that waits or is with somebody, as it came. */
export const listOpenLetters = ({ main }: Pick<Platform, 'main'>, inbox: Place, page: Paging): Promise<Page<Letter>> =>
  main.query<Letter>({ index: 'list', pk: openPk(inbox), ...page })

/** Where one message came to, as it came. */
export const lettersOf = (
  { main }: Pick<Platform, 'main'>,
  { tenant, message, ...page }: Paging & { tenant: string; message: string },
): Promise<Page<Letter>> => main.query<Letter>({ index: 'parent', pk: ofMessagePk(tenant, message), ...page })

/** Newest first. */
export const listDeadLetters = ({ main }: Pick<Platform, 'main'>, inbox: Place, page: Paging): Promise<Page<Letter>> =>
  main.query<Letter>({ index: 'holder', pk: deadPk(inbox), order: 'descending', ...page })

const pageSize = 1000

type Bounds = { index?: IndexName; after?: string }

const count = async (
  { main }: Pick<Platform, 'main'>,
  pk: string,
  { index = 'holder', after }: Bounds = {},
): Promise<number> => {
  let total = 0
  let cursor: string | undefined
  do {
    const page = await main.queryKeys({ index, pk, after, limit: pageSize, cursor })
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
  const [open, inFlight, dead] = await Promise.all([
    count(ports, openPk(inbox), { index: 'list' }),
    count(ports, waitingPk(inbox), { after: edge }),
    count(ports, deadPk(inbox)),
  ])
  return { waiting: Math.max(0, open - inFlight), inFlight, dead }
}

const counterKey = ({ tenant, id }: Place): Key => ({ pk: `${tenant}#inbox#${id}`, sk: 'counter' })

/** Changes how many letters an inbox has. Whoever waits for one sees it. */
export const addToCount = async ({ volatile }: Pick<Platform, 'volatile'>, inbox: Place, by: 1 | -1): Promise<void> => {
  await volatile.add(counterKey(inbox), by, by > 0 ? {} : { min: 0 })
}

/** The same for one more, in an inbox that is nearly full; `false`: it is full. */
export const takePlace = async ({ volatile }: Pick<Platform, 'volatile'>, inbox: Inbox): Promise<boolean> =>
  (await volatile.add(counterKey(inbox), 1, { max: inbox.most })) !== undefined

/** Whoever waits for a letter looks: one is there that was counted before. */
export const tellCame = async ({ volatile }: Pick<Platform, 'volatile'>, inbox: Place): Promise<void> => {
  await volatile.add(counterKey(inbox), 0)
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
