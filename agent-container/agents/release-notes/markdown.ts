import { stripVTControlCharacters } from 'node:util'

/** Line breaks, control characters, and what turns the direction of writing. */
const invisible = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu
const special = /[\\`*<>[\]&~]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu
/** What would make a list item begin with a heading, a list, a quote or a rule. */
const leading = /^(?:[#+=-]|(\d+)(?=[.)](?:\s|$)))/

/** One line of text: no control characters, no more than `length` characters. */
export const oneLine = (text: string, length: number): string => {
  const line = stripVTControlCharacters(text).replace(invisible, ' ').replace(/ {2,}/g, ' ').trim()
  return line.length > length ? `${line.slice(0, length - 1)}…` : line
}

const escapeText = (text: string): string => text.replace(special, '\\$&')

/** What was in `code` stays in it: nothing is read as markup there. Everything else is escaped. */
const escapeAroundCode = (text: string): string =>
  text
    .split(/(?<![`\\])(`[^`]+`)(?!`)/)
    .map((part, at) => (at % 2 === 1 ? part : escapeText(part)))
    .join('')

/** Text of a stranger as Markdown that says just that text. */
export const escapeMarkdown = (text: string): string => {
  const start = leading.exec(text)
  if (!start) return escapeAroundCode(text)
  const number = start[1] ?? ''
  const rest = text.slice(number.length)
  return `${number}\\${rest.slice(0, 1)}${escapeAroundCode(rest.slice(1))}`
}
