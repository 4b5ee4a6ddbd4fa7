const word = /(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/gs
const part = /\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'/gs

const unquote = (text: string): string =>
  text.replace(
    part,
    (_whole, escaped?: string, double?: string, single?: string) =>
      escaped ?? double?.replace(/\\(["\\$`])/g, '$1') ?? single ?? '',
  )

/** A command line as its words: blanks separate, quotes and backslashes keep together, nothing is expanded. */
export const splitCommand = (line: string): string[] => (line.match(word) ?? []).map(unquote)
