import { fork } from 'node:child_process'
import { on } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type Analyzer, type Subject, Unavailable } from '../analyzer.ts'
import type { Request, Telling } from './protocol.ts'

const entry = fileURLToPath(new URL('./main.ts', import.meta.url))
const heapMb = 512

/**
 * The same analyzer in a process of its own: its memory goes with it, and code that crashes a parser costs one
 * analyzer, not the review. `module` is the address of the file that exports it under its id, `flags` are Node's.
 */
export const isolated = (analyzer: Analyzer, module: string, flags: string[] = []): Analyzer => ({
  ...analyzer,
  run: async function* (subject) {
    const { folder, files, scratch } = subject
    const request: Request = { module, name: analyzer.id, folder, files: [...files], scratch }
    let done = false
    const child = start(subject, flags)
    try {
      child.send(request)
      const tellings = on(child, 'message', { close: ['disconnect'], signal: subject.signal })
      for await (const [told] of tellings as AsyncIterable<[Telling]>) {
        if (told.kind === 'remark') yield told.remark
        else if (told.kind === 'done') done = true
        else act(subject, told)
      }
      if (!done) throw new Error(await child.ending)
    } finally {
      child.kill()
    }
  },
})

const start = ({ scratch, signal }: Subject, flags: string[]) => {
  const child = fork(entry, [], {
    cwd: scratch,
    env: { PATH: process.env.PATH, HOME: scratch, TMPDIR: scratch },
    execArgv: ['--disable-warning=ExperimentalWarning', `--max-old-space-size=${heapMb}`, ...flags],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let complaint = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2000)
  })
  const ending = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(`it cannot be started: ${error.message}`))
    child.on('close', (code, by) => resolve(`it ended with ${by ?? code}: ${complaint.trim() || 'it said nothing'}`))
  })
  const kill = () => void child.kill('SIGKILL')
  signal.addEventListener('abort', kill, { once: true })
  return Object.assign(child, { ending })
}

const act = (subject: Subject, told: Exclude<Telling, { kind: 'remark' | 'done' }>): void => {
  if (told.kind === 'failed') throw told.unavailable ? new Unavailable(told.message) : new Error(told.message)
  if (told.kind === 'advance') subject.advance(told.files)
  if (told.kind === 'note') subject.note(told.text)
  if (told.kind === 'mask') subject.mask(told.secret)
}
