import type { Progress } from '../review/review.ts'

const barWidth = 24

const bar = (percent: number): string => {
  const full = Math.round((percent / 100) * barWidth)
  return `${'█'.repeat(full)}${'░'.repeat(barWidth - full)}`
}

/** A bar that redraws itself on a terminal, one plain line a step elsewhere. */
export const createProgress = (stream: NodeJS.WriteStream) => {
  let last = ''
  const draw = ({ percent, message }: Progress): void => {
    const text = ` ${bar(percent)} ${String(Math.round(percent)).padStart(3)} %  ${message}`
    stream.write(`\r\u001b[K${text.slice(0, Math.max(20, (stream.columns ?? 80) - 1))}`)
  }
  const print = ({ percent, message }: Progress): void =>
    void stream.write(`${String(Math.round(percent)).padStart(3)} %  ${message}\n`)
  return {
    update(progress: Progress) {
      const text = `${Math.round(progress.percent)} ${progress.message}`
      if (text === last) return
      last = text
      if (stream.isTTY) draw(progress)
      else print(progress)
    },
    /** Leaves nothing of the bar behind. */
    end: () => void (stream.isTTY && last !== '' && stream.write('\r\u001b[K')),
  }
}
