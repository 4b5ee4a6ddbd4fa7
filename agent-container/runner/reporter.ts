import type { Progress } from '#shared/contracts/worker.ts'
import type { Usage } from '../sdk/context.ts'

export type Report = Omit<Progress, 'fence'>

const flushMs = 500
/** Well below what one request may have. */
const maxBytes = 160 * 1024
/** One less than a request may have: the runner may have something to say itself. */
const maxItems = 999

const addUsage = (sum: Usage | undefined, more: Usage): Usage => {
  const total: Usage = { ...sum }
  for (const key of ['seconds', 'tokens', 'cost', 'cpuSeconds', 'bytesWritten'] as const)
    if (more[key] !== undefined) total[key] = (total[key] ?? 0) + more[key]
  if (more.peakMemoryMb !== undefined) total.peakMemoryMb = Math.max(total.peakMemoryMb ?? 0, more.peakMemoryMb)
  return total
}

/** Of the JSON on its way, in bytes. */
export const sizeOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value) ?? 'null')

const newReport = (): Required<Pick<Report, 'output' | 'logs' | 'metrics'>> & Report => ({
  output: [],
  logs: [],
  metrics: [],
})

/** Collects what a task reports and sends it at most twice a second, in order, in requests of a bounded size. */
export const createReporter = (send: (report: Report) => Promise<void>, onFlushed: (chunks: number) => void) => {
  let current = newReport()
  let bytes = 0
  let empty = true
  let timer: NodeJS.Timeout | undefined
  let sending: Promise<void> = Promise.resolve()

  const flush = (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    if (empty) return sending
    const report = current
    current = newReport()
    bytes = 0
    empty = true
    return enqueue(trim(report), report.output.length)
  }
  const enqueue = (report: Report, chunks: number): Promise<void> => {
    sending = sending.then(() => send(report)).then(() => onFlushed(chunks))
    sending.catch(() => undefined)
    return sending
  }
  const add = (size: number, change: (report: typeof current) => void): void => {
    if (bytes + size > maxBytes) void flush().catch(() => undefined)
    change(current)
    empty = false
    bytes += size
    const full =
      bytes >= maxBytes ||
      current.output.length >= maxItems ||
      current.logs.length >= maxItems ||
      current.metrics.length >= 100
    if (full) void flush().catch(() => undefined)
    else timer ??= setTimeout(() => void flush().catch(() => undefined), flushMs)
  }

  return {
    progress(percent: number, message?: string) {
      const shown = message?.slice(0, 2000)
      add(sizeOf(shown) + 100, (report) => {
        report.percent = percent
        if (shown !== undefined) report.message = shown
      })
    },
    output(chunk: unknown) {
      add(sizeOf(chunk), ({ output }) => output.push({ chunk }))
    },
    log(entry: NonNullable<Report['logs']>[number]) {
      const shown = { ...entry, message: entry.message.slice(0, 16_000) }
      add(sizeOf(shown), ({ logs }) => logs.push(shown))
    },
    metric(entry: NonNullable<Report['metrics']>[number]) {
      add(sizeOf(entry), ({ metrics }) => metrics.push(entry))
    },
    usage(used: Usage) {
      add(50, (report) => {
        report.usage = addUsage(report.usage, used)
      })
    },
    /** Durable when it resolves. */
    async checkpoint(value: unknown) {
      void flush().catch(() => undefined)
      await enqueue({ checkpoint: value }, 0)
    },
    /** Everything reported so far is recorded when it resolves. */
    flush,
    stop: () => clearTimeout(timer),
  }
}

const trim = ({ output, logs, metrics, ...rest }: ReturnType<typeof newReport>): Report => ({
  ...rest,
  ...(output.length > 0 && { output }),
  ...(logs.length > 0 && { logs }),
  ...(metrics.length > 0 && { metrics }),
})
