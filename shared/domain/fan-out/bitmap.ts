/** Rows of one page: what became of them is kept in three bits each. */
export const pageRows = 4096
export const pageOf = (row: number): number => Math.floor(row / pageRows)

export type Ended = 'succeeded' | 'failed' | 'cancelled'
/** Bits in base 64, the first row in the lowest bit of the first byte. What is done and nothing else has succeeded. */
export type RowPage = { done: string; failed: string; cancelled: string }
export type Counts = Record<Ended, number>

export const noCounts: Counts = { succeeded: 0, failed: 0, cancelled: 0 }
export const addCounts = (a: Counts, b: Counts): Counts => ({
  succeeded: a.succeeded + b.succeeded,
  failed: a.failed + b.failed,
  cancelled: a.cancelled + b.cancelled,
})
export const doneOf = ({ succeeded, failed, cancelled }: Counts): number => succeeded + failed + cancelled

const bytesOf = (bits: string | undefined): Buffer => {
  const bytes = Buffer.alloc(pageRows / 8)
  if (bits !== undefined) bytes.write(bits, 'base64')
  return bytes
}
const bitOf = (bytes: Buffer, at: number): boolean => ((bytes[at >> 3] ?? 0) & (1 << (at & 7))) !== 0
const setBit = (bytes: Buffer, at: number): void => {
  bytes[at >> 3] = (bytes[at >> 3] ?? 0) | (1 << (at & 7))
}

/**
 * The page with what became of some of its rows; the same object when all of that is known. The first that is told of a
 * row stays, so that repetition in any order changes nothing.
 */
export const markRows = (page: RowPage | undefined, marks: Iterable<readonly [row: number, ended: Ended]>): RowPage => {
  const [done, failed, cancelled] = [bytesOf(page?.done), bytesOf(page?.failed), bytesOf(page?.cancelled)]
  let changed = page === undefined
  for (const [row, ended] of marks) {
    const at = row % pageRows
    if (bitOf(done, at)) continue
    changed = true
    setBit(done, at)
    if (ended === 'failed') setBit(failed, at)
    if (ended === 'cancelled') setBit(cancelled, at)
  }
  if (!changed && page) return page
  return {
    done: done.toString('base64'),
    failed: failed.toString('base64'),
    cancelled: cancelled.toString('base64'),
  }
}

const ones = (bytes: Buffer): number => {
  let count = 0
  for (let byte of bytes) for (; byte > 0; byte &= byte - 1) count++
  return count
}

export const countPage = (page: RowPage | undefined): Counts => {
  if (page === undefined) return noCounts
  const [failed, cancelled] = [ones(bytesOf(page.failed)), ones(bytesOf(page.cancelled))]
  return { succeeded: ones(bytesOf(page.done)) - failed - cancelled, failed, cancelled }
}

/** Rows of page `number` below `end` of which nothing is known yet. */
export const openRows = (page: RowPage | undefined, number: number, end: number): number[] =>
  rowsWhere(number, end, [bytesOf(page?.done)], false)

/** Rows of page `number` that did not succeed. */
export const unsuccessfulRows = (page: RowPage | undefined, number: number): number[] =>
  rowsWhere(number, Number.POSITIVE_INFINITY, [bytesOf(page?.failed), bytesOf(page?.cancelled)], true)

const rowsWhere = (number: number, end: number, bits: Buffer[], set: boolean): number[] => {
  const first = number * pageRows
  const rows: number[] = []
  for (let at = 0; at < Math.min(pageRows, end - first); at++)
    if (bits.some((bytes) => bitOf(bytes, at)) === set) rows.push(first + at)
  return rows
}
