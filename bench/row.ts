/** One figure, and what is wanted of it; a miss that is known fails nothing as long as it does not get worse. */
export type Row = { what: string; measured: string; value: number; wanted: string; good: boolean; known?: boolean }

/** `known`: it is missed, but not beyond this. */
type More = { unit?: string; known?: number }

const bound =
  (sign: string, holds: (value: number, limit: number) => boolean) =>
  (what: string, value: number, limit: number, measured: string, { unit = '', known = limit }: More = {}): Row => ({
    what,
    measured,
    value,
    wanted: `${sign} ${limit}${unit}`,
    good: holds(value, limit),
    known: holds(value, known),
  })

export const atMost = bound('≤', (value, limit) => value <= limit)

export const atLeast = bound('≥', (value, limit) => value >= limit)

/** A figure of which nothing is asked. */
export const shown = (what: string, value: number, measured: string): Row => ({
  what,
  measured,
  value,
  wanted: '',
  good: true,
})

export const isWorse = ({ good, known = false }: Row): boolean => !good && !known

const verdict = (row: Row): string => {
  if (row.wanted === '') return ''
  if (row.good) return 'ok'
  return isWorse(row) ? 'missed' : 'missed, as known'
}

export const ms = (value: number): string => `${value.toFixed(1)} ms`

export const render = (rows: Row[]): string =>
  [
    '| what | measured | value | wanted | |',
    '|---|---|---|---|---|',
    ...rows.map(
      (row) => `| ${row.what} | ${row.measured} | ${row.value.toFixed(2)} | ${row.wanted} | ${verdict(row)} |`,
    ),
  ].join('\n')
