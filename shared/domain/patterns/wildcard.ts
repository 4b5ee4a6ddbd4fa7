/** So many `*` at most in one value. */
export const mostWildcards = 20

type Parsed = { parts: string[] } | { problem: string }

/** The texts between the wildcards; `\*` and `\\` stand for themselves. */
const parse = (text: string): Parsed => {
  const parts: string[] = []
  let part = ''
  for (let at = 0; at < text.length; at++) {
    const [char = '', next] = [text[at], text[at + 1]]
    if (char === '*' && next === '*') return { problem: `two wildcards follow each other at ${at + 1}; one is enough` }
    if (char === '\\' && next !== '*' && next !== '\\') return { problem: `\\ at ${at + 1} escapes neither * nor \\` }
    if (char === '*') {
      parts.push(part)
      part = ''
    } else if (char === '\\') part += text[++at]
    else part += char
  }
  return { parts: [...parts, part] }
}

/** Each part after the one before; no choice is ever taken back, so the time is bounded. */
const matches = ([first = '', ...rest]: string[], value: string): boolean => {
  const last = rest.pop()
  if (last === undefined) return value === first
  if (!value.startsWith(first)) return false
  let from = first.length
  for (const part of rest) {
    const found = value.indexOf(part, from)
    if (found < 0) return false
    from = found + part.length
  }
  return value.length - last.length >= from && value.endsWith(last)
}

/** Reads a text in which `*` stands for any characters, or none. */
export const readWildcard = (text: string): { test: (value: string) => boolean } | { problem: string } => {
  const parsed = parse(text)
  if ('problem' in parsed) return parsed
  const { parts } = parsed
  if (parts.length - 1 > mostWildcards)
    return { problem: `${parts.length - 1} wildcards are more than the ${mostWildcards} that one value may have` }
  return { test: (value) => matches(parts, value) }
}
