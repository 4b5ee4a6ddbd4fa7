import stringWidth from 'string-width'

export type Column = {
  title: string
  align?: 'right'
  /** Takes what the others leave and wraps. */
  wrap?: boolean
  /** Where it is cut, down to `least` signs, when a terminal is too narrow; the last column first. */
  cut?: { at: 'start' | 'end'; least: number }
}

const gap = 2
const leastWrapped = 24

/** Aligned columns with two blanks between them, at most `width` wide as far as that is possible. */
export const renderTable = (columns: Column[], rows: string[][], width = Number.POSITIVE_INFINITY): string => {
  const lines = [columns.map(({ title }) => title), ...rows]
  const widths = widthsOf(columns, lines, width)
  return lines.flatMap((cells) => layOut(columns, cells, widths)).join('\n')
}

const widthsOf = (columns: Column[], lines: string[][], width: number): number[] => {
  const natural = columns.map((_, at) => lines.reduce((most, cells) => Math.max(most, stringWidth(cells[at] ?? '')), 0))
  const widths = natural.map((one, at) => (columns[at]?.wrap ? Math.min(one, leastWrapped) : one))
  let spare = width - widths.reduce((sum, one) => sum + one + gap, -gap)
  const change = (at: number, by: number): void => {
    widths[at] = (widths[at] ?? 0) + by
    spare -= by
  }
  for (const [at, { cut }] of [...columns.entries()].toReversed())
    if (cut && spare < 0) change(at, -Math.min(-spare, Math.max(0, (natural[at] ?? 0) - cut.least)))
  for (const [at, { wrap }] of columns.entries())
    if (wrap && spare > 0) change(at, Math.min(spare, (natural[at] ?? 0) - (widths[at] ?? 0)))
  return widths
}

const layOut = (columns: Column[], cells: string[], widths: number[]): string[] => {
  const lines = columns.map(({ wrap, cut }, at) => {
    const [text = '', width = 0] = [cells[at], widths[at]]
    if (wrap) return wrapText(text, width)
    return [cut && stringWidth(text) > width ? shorten(text, width, cut.at) : text]
  })
  const height = Math.max(...lines.map((one) => one.length))
  return Array.from({ length: height }, (_, line) =>
    columns
      .map(({ align }, at) => pad(lines[at]?.[line] ?? '', widths[at] ?? 0, align))
      .join(' '.repeat(gap))
      .trimEnd(),
  )
}

const pad = (text: string, width: number, align?: 'right'): string => {
  const space = ' '.repeat(Math.max(0, width - stringWidth(text)))
  return align === 'right' ? space + text : text + space
}

const shorten = (text: string, width: number, at: 'start' | 'end'): string => {
  const signs = [...text]
  while (signs.length > 0 && stringWidth(signs.join('')) > width - 1) at === 'start' ? signs.shift() : signs.pop()
  return at === 'start' ? `…${signs.join('')}` : `${signs.join('')}…`
}

/** Words in lines of at most `width`; a longer word is broken. */
export const wrapText = (text: string, width: number): string[] => {
  if (stringWidth(text) <= width) return [text]
  const lines: string[] = ['']
  for (const word of text.split(' ').flatMap((one) => breakWord(one, width))) {
    const line = lines.at(-1) ?? ''
    if (line === '') lines[lines.length - 1] = word
    else if (stringWidth(line) + 1 + stringWidth(word) <= width) lines[lines.length - 1] = `${line} ${word}`
    else lines.push(word)
  }
  return lines
}

const breakWord = (word: string, width: number): string[] => {
  const pieces = ['']
  for (const sign of word) {
    const piece = pieces.at(-1) ?? ''
    if (piece !== '' && stringWidth(piece + sign) > width) pieces.push(sign)
    else pieces[pieces.length - 1] = piece + sign
  }
  return pieces
}
