import { closeSync, openSync, renameSync, statSync, write, writeSync } from 'node:fs'

export type LogFile = {
  write(line: string): void
  /** Resolves when everything written so far is in the file. */
  flush(): Promise<void>
  close(): void
}

type Options = {
  file: string
  /** At this size the file becomes `<file>.1`, and a new one begins. @default 32 MiB */
  maxBytes?: number
  /** So much may wait for a slow disk; lines beyond it are counted and left out. @default 4 MiB */
  maxWaiting?: number
}

const flushEveryMs = 20

/** A log file that never makes its writer wait; what waits when the process ends is written then. */
export const openLogFile = ({ file, maxBytes = 32 << 20, maxWaiting = 4 << 20 }: Options): LogFile => {
  let handle = openSync(file, 'a', 0o600)
  let size = statSync(file).size
  let waiting: string[] = []
  let waitingLength = 0
  let leftOut = 0
  let writing: Promise<void> | undefined

  const takeAll = (): Buffer => {
    const notice =
      leftOut > 0 ? `${JSON.stringify({ level: 'warn', message: `${leftOut} lines were left out` })}\n` : ''
    const text = Buffer.from(waiting.join('') + notice)
    waiting = []
    waitingLength = 0
    leftOut = 0
    return text
  }
  const rotate = (): void => {
    closeSync(handle)
    renameSync(file, `${file}.1`)
    handle = openSync(file, 'a', 0o600)
    size = 0
  }
  const writeOut = async (): Promise<void> => {
    while (waiting.length > 0) {
      const text = takeAll()
      if (size > 0 && size + text.length > maxBytes) rotate()
      size += text.length
      await new Promise<void>((resolve) => write(handle, text, () => resolve())) // a full disk loses lines, no more
    }
  }
  const start = (): Promise<void> => {
    writing ??= writeOut().finally(() => {
      writing = undefined
    })
    return writing
  }
  let timer: NodeJS.Timeout | undefined
  const schedule = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined
      start().catch(() => undefined)
    }, flushEveryMs).unref()
  }
  const writeRest = (): void => {
    if (waiting.length > 0) writeSync(handle, takeAll())
  }
  process.on('exit', writeRest)

  return {
    write(line) {
      if (waitingLength + line.length > maxWaiting) {
        leftOut++
        return
      }
      waiting.push(line)
      waitingLength += line.length
      schedule()
    },
    async flush() {
      while (writing !== undefined || waiting.length > 0) await start()
    },
    close() {
      clearTimeout(timer)
      process.off('exit', writeRest)
      writeRest()
      closeSync(handle)
    },
  }
}
