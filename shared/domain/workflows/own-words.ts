/** What the compiler binds in front of an expression: `($input := $states.context.Execution.Input; …)`. */
const bound = /\((?:\$\w+ := (?:\$states\.context\.|\{"id": )[^;]*; )+/g

/** Where the bracket that is open before a text ends in it; as many characters as it has where it was cut before that. */
const endOf = (text: string): number => {
  let depth = 0
  let quote = ''
  for (const [at, one] of [...text].entries()) {
    if (quote !== '') quote = one === quote ? '' : quote
    else if (one === '"' || one === "'") quote = one
    else if (one === '(') depth += 1
    else if (one === ')' && depth-- === 0) return at
  }
  return text.length
}

/** A text with expressions as they stand in the definition, without what the compiler has bound in front of them. */
export const inOwnWords = (text: string): string => {
  const [before = '', ...after] = text.split(bound)
  return after.reduce((whole, part) => {
    const end = endOf(part)
    return whole + part.slice(0, end) + part.slice(end + 1)
  }, before)
}
