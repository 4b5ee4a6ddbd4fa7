/** Keeps the beginning and the end of a text of any length, in whole lines. */
export const createKeptText = ({ headLength = 1_000_000, tailLength = 4_000_000 } = {}) => {
  const head: string[] = []
  let headUsed = 0
  let tail: string[] = []
  let tailUsed = 0
  let omitted = 0

  /** Drops in bulk once the tail is a quarter too long, so that a line costs the same however many came before. */
  const trimTail = () => {
    if (tailUsed <= tailLength * 1.25) return
    let from = 0
    while (tailUsed > tailLength) {
      tailUsed -= (tail[from]?.length ?? 0) + 1
      from++
    }
    omitted += from
    tail = tail.slice(from)
  }

  return {
    push: (line: string): void => {
      if (tail.length === 0 && headUsed + line.length + 1 <= headLength) {
        head.push(line)
        headUsed += line.length + 1
        return
      }
      tail.push(line)
      tailUsed += line.length + 1
      trimTail()
    },
    text: (): string => {
      const gap = omitted > 0 ? [`[${omitted} lines omitted]`] : []
      return [...head, ...gap, ...tail].join('\n')
    },
    /** The last lines, at most `length` characters of them. */
    end: (length: number): string => {
      const whole = [...head, ...tail].join('\n')
      const cut = whole.slice(-length)
      return cut.length === whole.length ? whole : cut.slice(cut.indexOf('\n') + 1)
    },
  }
}
