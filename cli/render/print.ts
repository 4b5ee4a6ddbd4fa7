import { type Column, renderTable } from './table.ts'

export const print = (line: string): void => void process.stdout.write(`${line}\n`)

/** What is not the answer itself: to standard error, so that the answer can be piped. */
export const note = (line: string): void => void process.stderr.write(`${line}\n`)

export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2))

/** A table as wide as the terminal; without rows a sentence on standard error. */
export const printTable = (columns: Column[], rows: string[][], empty: string): void =>
  rows.length === 0 ? note(empty) : print(renderTable(columns, rows, process.stdout.columns))

/** Names and values below each other; what is undefined is left out. */
export const printFields = (fields: [name: string, value: string | undefined][]): void => {
  const known = fields.filter((field): field is [string, string] => field[1] !== undefined)
  const width = Math.max(0, ...known.map(([name]) => name.length)) + 2
  const indent = `\n${' '.repeat(width)}`
  for (const [name, value] of known) print(`${name.padEnd(width)}${value.replaceAll('\n', indent)}`)
}

type Page = { nextCursor: string | null }

/** Says that a list goes on, and how. */
export const noteMore = ({ nextCursor }: Page): void => {
  if (nextCursor !== null) note(`there are more: repeat it with --cursor ${nextCursor}`)
}
