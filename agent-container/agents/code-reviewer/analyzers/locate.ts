/**
 * Finds the line, from 1, of a text: the next occurrence after the one found before, else the first; 1 when there is
 * none. Many texts are found in one pass when they are asked for in their order.
 */
export const createLocator = (content: string): ((text: string) => number) => {
  const starts = [0]
  for (let at = content.indexOf('\n'); at !== -1; at = content.indexOf('\n', at + 1)) starts.push(at + 1)
  let last = -1
  return (text) => {
    const next = content.indexOf(text, last + 1)
    const offset = next === -1 ? content.indexOf(text) : next
    if (offset === -1) return 1
    last = offset
    return countUpTo(starts, offset)
  }
}

/** How many of the ascending numbers are at most `limit`. */
const countUpTo = (numbers: number[], limit: number): number => {
  let [low, high] = [0, numbers.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((numbers[middle] ?? 0) <= limit) low = middle + 1
    else high = middle
  }
  return low
}
