import stringWidth from 'string-width'
import { canAnimate, plain } from './terminal.ts'

export type Progress = { percent: number; message: string }

const barWidth = 24
const clearLine = '\r\u001b[K'
/** Between two plain lines about one and the same step. */
const restMs = 5000

const bar = (percent: number): string => {
  const full = Math.round((percent / 100) * barWidth)
  return `${'█'.repeat(full)}${'░'.repeat(barWidth - full)}`
}

const percentage = (percent: number): string => `${String(Math.round(percent)).padStart(3)} %`

/** What comes before a colon or a number is the step; what follows changes all the time. */
const stepOf = (message: string): string => message.split(/[:\d]/, 1)[0] ?? ''

/** A bar that redraws itself on a terminal; elsewhere a plain line for each step, and now and then in a long one. */
export const createProgress = (stream: NodeJS.WriteStream) => {
  const last = { text: '', step: '', at: 0 }
  const draw = (percent: number, message: string): void => {
    const signs = [...` ${bar(percent)} ${percentage(percent)}  ${message}`]
    while (stringWidth(signs.join('')) >= (stream.columns || 80)) signs.pop()
    stream.write(`${clearLine}${signs.join('')}`)
  }
  const print = (percent: number, message: string): void => {
    const step = stepOf(message)
    if (step === last.step && Date.now() - last.at < restMs) return
    Object.assign(last, { step, at: Date.now() })
    stream.write(`${percentage(percent)}  ${message}\n`)
  }
  return {
    update(progress: Progress) {
      const percent = Math.max(0, Math.min(100, progress.percent || 0))
      const message = plain(progress.message)
      const text = `${Math.round(percent)} ${message}`
      if (text === last.text) return
      last.text = text
      if (canAnimate(stream)) draw(percent, message)
      else print(percent, message)
    },
    /** Leaves nothing of the bar behind. */
    end: () => void (canAnimate(stream) && last.text !== '' && stream.write(clearLine)),
  }
}
