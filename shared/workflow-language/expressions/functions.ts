const words = (text: string): string[] => text.trim().split(/\s+/)

/** Functions of JSONata 2 that Step Functions has too (`$eval` it has not), and those that it adds. */
export const knownFunctions: ReadonlySet<string> = new Set([
  ...words(`sum count max min average string substring substringBefore substringAfter lowercase uppercase length trim
    pad match contains replace split join formatNumber formatBase formatInteger parseInteger number floor ceil round
    abs sqrt power random boolean not map zip filter single reduce sift keys lookup append exists spread merge reverse
    each error assert type sort shuffle distinct base64encode base64decode encodeUrlComponent encodeUrl
    decodeUrlComponent decodeUrl toMillis fromMillis now millis`),
  ...words('partition range hash uuid parse'),
])

/** No name is longer: of what is, nothing is looked for. */
const longestName = 60

/** The nearest of some words, when it is near enough to be what was meant. */
export const nearest = (word: string, known: Iterable<string>): string | undefined => {
  if (word.length > longestName) return undefined
  const ranked = [...known]
    .filter(({ length }) => Math.abs(length - word.length) <= Math.ceil(word.length / 3))
    .map((one) => ({ one, distance: distance(word.toLowerCase(), one.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)
  const [best] = ranked
  return best && best.distance <= Math.ceil(word.length / 3) ? best.one : undefined
}

/** Levenshtein's, row by row. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1]
    for (const [j, other] of [...b].entries())
      next.push(Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (letter === other ? 0 : 1)))
    row = next
  }
  return row.at(-1) ?? 0
}

export const didYouMean = (word: string, known: Iterable<string>, show = (one: string) => one): string => {
  const found = nearest(word, known)
  return found === undefined ? '' : `; did you mean ${show(found)}?`
}
