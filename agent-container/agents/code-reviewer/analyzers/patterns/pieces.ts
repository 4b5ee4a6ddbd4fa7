/** A text as it is put together: what is written, and expressions whose values come between. */
export type Piece = { text: string } | { expression: string }

/** Constants by convention, literals and numbers, and what was quoted on purpose, are nobody's input. */
const harmless: RegExp[] = [
  /^[A-Z][A-Z0-9_]*$/,
  /^(['"]).*\1$/s,
  /^-?[\d._]+$/,
  /^(Number|parseInt|parseFloat|int|float|len)\s*\(/,
  /\.(length|size)$/,
  /(quote|escape|sanitize)\w*\s*\(/i,
]

/** The expressions in a text that may hold anything; none when nothing is written around them. */
export const expressionsIn = (pieces: Piece[]): string[] =>
  pieces.some((piece) => 'text' in piece)
    ? pieces.flatMap((piece) => ('text' in piece ? [] : doubtful(piece.expression)))
    : []

const doubtful = (expression: string) => (harmless.some((pattern) => pattern.test(expression)) ? [] : [expression])

/** A format with its verbs replaced by what stands for them, in order; what is missing stands for itself. */
export const fillFormat = (format: string, verb: RegExp, values: string[]): Piece[] => {
  const pieces: Piece[] = []
  let at = 0
  let nth = 0
  for (const match of format.matchAll(verb)) {
    pieces.push({ text: format.slice(at, match.index) }, { expression: values[nth++] ?? values.at(-1) ?? match[0] })
    at = match.index + match[0].length
  }
  return [...pieces, { text: format.slice(at) }]
}

const statement =
  /^\s*(select\s[\s\S]*?\sfrom\s|insert\s+into\s|replace\s+into\s|update\s[\s\S]*?\sset\s|delete\s+from\s)/i
const clause = /\b(where|having|on|set|values)\b/i
const beforeValue = /(=|<|>|\blike\b|\bvalues\s*\([^)]*)\s*['"]%?$|(=|<|>|\blike\b)\s*$/i

/** Marks for parameters, and parts of statements that were put together before. */
const fragment = /placeholder|marks?\b|params?\b|columns?|fields?\b|table|clause|where|conditions?|'\?'|"\?"/i

/** The beginning of a text that may be an SQL statement. */
export const sqlHint = /["'`]\s*(select|insert|replace|update|delete)\s/i

/** A statement shows by then; and what is before a value, in so much. */
const most = { statement: 4000, before: 400 }

/** Expressions where a text is an SQL statement and a parameter could stand: names of tables and fragments could not. */
export const sqlValuesIn = (pieces: Piece[]): string[] => {
  let begin = ''
  let before = ''
  return pieces.flatMap((piece) => {
    const written = 'text' in piece ? piece.text : '?'
    const isValue = beforeValue.test(before) && clause.test(begin) && statement.test(begin)
    const value = isValue && 'expression' in piece ? piece.expression : undefined
    if (begin.length < most.statement) begin += written
    before = (before + written).slice(-most.before)
    return value === undefined || fragment.test(value) ? [] : doubtful(value)
  })
}
