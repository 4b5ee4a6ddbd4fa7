/** The beginning of a text that may be a statement. */
export const sqlHint = /["'`]\s*(select|insert|replace|update|delete)\s/i

const statement =
  /^\s*(select\s[\s\S]*?\sfrom\s|insert\s+into\s|replace\s+into\s|update\s[\s\S]*?\sset\s|delete\s+from\s)/i

/** Whether a text begins a statement, English sentences that begin with the same word aside. */
export const isSql = (text: string): boolean => statement.test(text)

/** Whether what follows a statement's beginning is a value: identifiers and fragments cannot be parameters. */
export const endsAtValue = (begin: string): boolean =>
  /\b(where|having|on|set|values)\b/i.test(begin) &&
  /(=|<|>|\blike\b|\bvalues\s*\([^)]*)\s*['"]%?$|(=|<|>|\blike\b)\s*$/i.test(begin)

/** Whether a format has a verb where a value belongs. */
export const formatsValue = (format: string, verb: RegExp): boolean =>
  isSql(format) && [...format.matchAll(verb)].some((match) => endsAtValue(format.slice(0, match.index)))

/** Marks for parameters, and parts of statements that were put together before. */
export const isFragment = (expression: string): boolean =>
  /placeholder|marks?\b|params?\b|columns?|fields?\b|table|clause|where|conditions?|'\?'|"\?"/i.test(expression)
