/** One figure, and what is wanted of it. */
export type Row = { what: string; measured: string; value: number; wanted: string; good: boolean }

export const atMost = (what: string, value: number, limit: number, measured: string, unit = ''): Row => ({
  what,
  measured,
  value,
  wanted: `≤ ${limit}${unit}`,
  good: value <= limit,
})

export const atLeast = (what: string, value: number, limit: number, measured: string): Row => ({
  what,
  measured,
  value,
  wanted: `≥ ${limit}`,
  good: value >= limit,
})

/** A figure of which nothing is asked. */
export const shown = (what: string, value: number, measured: string): Row => ({
  what,
  measured,
  value,
  wanted: '',
  good: true,
})

export const ms = (value: number): string => `${value.toFixed(1)} ms`

export const render = (rows: Row[]): string =>
  [
    '| what | measured | value | wanted | |',
    '|---|---|---|---|---|',
    ...rows.map(
      ({ what, measured, value, wanted, good }) =>
        `| ${what} | ${measured} | ${value.toFixed(2)} | ${wanted} | ${wanted === '' ? '' : good ? 'ok' : 'missed'} |`,
    ),
  ].join('\n')
