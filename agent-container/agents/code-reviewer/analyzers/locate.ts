/** Finds the line, from 1, of the first occurrence of a text; 1 when there is none. */
export const createLocator = (content: string): ((text: string) => number) => {
  const starts = [0]
  for (let at = content.indexOf('\n'); at !== -1; at = content.indexOf('\n', at + 1)) starts.push(at + 1)
  return (text) => {
    const offset = content.indexOf(text)
    return offset === -1 ? 1 : countUpTo(starts, offset)
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
