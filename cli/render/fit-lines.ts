/** What is over, or has not come: the least wanted where there is no room. */
const isQuiet = (line: string): boolean => /^[✓·–○]/.test(line)

/** Lines of which so many fit on a terminal: what has ended or not come goes first, from the top, and is counted. */
export const fitLines = (lines: string[], rows: number): string[] => {
  if (lines.length <= rows) return lines
  let over = lines.length - rows + 1
  const left = lines.filter((line) => !(over > 0 && isQuiet(line) && over--))
  const shown = left.slice(0, Math.max(0, rows - 1))
  return [`  … ${lines.length - shown.length} more`, ...shown]
}
