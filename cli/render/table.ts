import { stripVTControlCharacters } from 'node:util'

export type Column = { title: string; wrap?: boolean; align?: 'right' }

const widthOf = (text: string): number => stripVTControlCharacters(text).length
const pad = (text: string, width: number, align?: 'right'): string => {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)))
  return align === 'right' ? space + text : text + space
}

/** Words in lines of at most `width`; longer words are cut. */
export const wrapText = (text: string, width: number): string[] => {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const pieces = word.match(new RegExp(`.{1,${Math.max(1, width)}}`, 'gu')) ?? ['']
    for (const piece of pieces)
      if (line === '') line = piece
      else if (line.length + 1 + piece.length <= width) line += ` ${piece}`
      else {
        lines.push(line)
        line = piece
      }
  }
  return [...lines, line]
}

/** Aligned columns with two blanks between them; the wrapping column takes what a terminal of `width` leaves. */
export const renderTable = (columns: Column[], rows: string[][], width = Number.POSITIVE_INFINITY): string => {
  const natural = columns.map(({ title }, at) => Math.max(title.length, ...rows.map((row) => widthOf(row[at] ?? ''))))
  const wrapping = columns.findIndex(({ wrap }) => wrap)
  const others = natural.reduce((sum, one, at) => sum + (at === wrapping ? 0 : one + 2), 0)
  const widths = natural.map((one, at) => (at === wrapping ? Math.max(20, Math.min(one, width - others)) : one))
  const lines = [columns.map(({ title }) => title), ...rows].flatMap((row) => layOut(row, columns, widths, wrapping))
  return lines.join('\n')
}

const layOut = (row: string[], columns: Column[], widths: number[], wrapping: number): string[] => {
  const wrapped = wrapping === -1 ? [''] : wrapText(row[wrapping] ?? '', widths[wrapping] ?? 20)
  return wrapped.map((part, line) =>
    columns
      .map(({ align }, at) => pad(at === wrapping ? part : line === 0 ? (row[at] ?? '') : '', widths[at] ?? 0, align))
      .join('  ')
      .trimEnd(),
  )
}
