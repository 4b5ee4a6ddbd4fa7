import { type Column, renderTable } from './table.ts'

export const printJson = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)

/** A table as wide as the terminal; without rows a sentence on standard error. */
export const printTable = (columns: Column[], rows: string[][], empty: string): void => {
  if (rows.length === 0) process.stderr.write(`${empty}\n`)
  else process.stdout.write(`${renderTable(columns, rows, process.stdout.columns)}\n`)
}

/** Names and values below each other; what is undefined is left out. */
export const printFields = (fields: [string, string | undefined][]): void => {
  const known = fields.filter((field): field is [string, string] => field[1] !== undefined)
  const width = Math.max(...known.map(([name]) => name.length)) + 2
  const indent = `\n${' '.repeat(width)}`
  for (const [name, value] of known) process.stdout.write(`${name.padEnd(width)}${value.replaceAll('\n', indent)}\n`)
}

/** `?a=1&b=2` of what is defined. */
export const toQuery = (parameters: Record<string, string | number | undefined>): string => {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, String(value))
  return query.size === 0 ? '' : `?${query}`
}

/** How long ago, in one unit. */
export const ago = (time: string): string => {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(time)) / 1000))
  const rows: [number, number, string][] = [
    [120, 1, 's'],
    [7200, 60, 'min'],
    [172_800, 3600, 'h'],
  ]
  const [, unit, name] = rows.find(([limit]) => seconds < limit) ?? [0, 86_400, 'd']
  return `${Math.floor(seconds / unit)} ${name}`
}
