import { readFileSync } from 'node:fs'
import type { Line, Meter } from './meter.ts'

type Prices = {
  perMillion: Record<Line, number>
  lambda: { perGbSecond: number; memoryGb: number; secondsPerCall: number }
}
const prices = JSON.parse(readFileSync(new URL('./prices.json', import.meta.url), 'utf8')) as Prices

export type Counted = { what: string; count: number; detail: boolean }

/** Units of each line for one of what was counted. */
const perOne = (meter: Meter, count: number): Map<Line, number> => {
  const lines = new Map<Line, number>()
  for (const [key, { units }] of meter.counts()) {
    const line = key.split(' ')[0] as Line
    lines.set(line, (lines.get(line) ?? 0) + units / count)
  }
  return lines
}

const printDetail = (meter: Meter, count: number): void => {
  for (const [key, { calls, units }] of [...meter.counts()].sort(([a], [b]) => (a < b ? -1 : 1)))
    console.log(
      `${(units / count).toFixed(2).padStart(7)} units ${(calls / count).toFixed(2).padStart(6)} calls  ${key}`,
    )
}

/** Prints what a million of something cost, line by line. Answers the dollars. */
export const printCost = (meter: Meter, { what, count, detail }: Counted): number => {
  if (detail) printDetail(meter, count)
  const lines = perOne(meter, count)
  const { perGbSecond, memoryGb, secondsPerCall } = prices.lambda
  const calls = lines.get('lambda.request') ?? 0
  const rows = [
    ...[...lines].map(([line, units]) => ({ line, units, dollars: units * prices.perMillion[line] })),
    {
      line: `lambda.time (${secondsPerCall * 1000} ms at ${memoryGb * 1024} MB each)`,
      units: calls,
      dollars: calls * secondsPerCall * memoryGb * perGbSecond * 1e6,
    },
  ]
  console.log(`| line item | a ${what} | $ a million ${what}s |\n|---|---|---|`)
  for (const { line, units, dollars } of rows) console.log(`| ${line} | ${units.toFixed(2)} | ${dollars.toFixed(2)} |`)
  return rows.reduce((sum, { dollars }) => sum + dollars, 0)
}
