/** Cuts a stream of text into lines; a line longer than `maxLength` comes in pieces. */
export const createLineSplitter = (onLine: (line: string) => void, { maxLength = 65_536 } = {}) => {
  let rest = ''

  const cutLongRest = () => {
    while (rest.length > maxLength) {
      onLine(rest.slice(0, maxLength))
      rest = rest.slice(maxLength)
    }
  }

  return {
    push: (text: string): void => {
      const lines = (rest + text).split(/\r?\n/)
      rest = lines.pop() ?? ''
      for (const line of lines) {
        if (line.length <= maxLength) onLine(line)
        else for (let at = 0; at < line.length; at += maxLength) onLine(line.slice(at, at + maxLength))
      }
      cutLongRest()
    },
    /** What was left without a line end. */
    end: (): void => {
      if (rest !== '') onLine(rest)
      rest = ''
    },
  }
}
