import type { Progress } from '#shared/contracts/worker.ts'
import type { Usage } from '../sdk/context.ts'

type Report = Omit<Progress, 'fence'>

const flushMs = 500
/** Well below what one request may have. */
const maxBytes = 160 * 1024
const maxItems = 1000

const addUsage = (sum: Usage | undefined, more: Usage): Usage => {
  const total: Usage = { ...sum }
  for (const key of ['seconds', 'tokens', 'cost'] as const)
    if (more[key] !== undefined) total[key] = (total[key] ?? 0) + more[key]
  return total
}

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
    sending = sending.then(() => send(trim(report))).then(() => onFlushed(report.output.length))
    sending.catch(() => undefined)
    return sending
  }
  const added = (size: number): void => {
    empty = false
    bytes += size
    const full =
      bytes > maxBytes ||
      current.output.length >= maxItems ||
      current.logs.length >= maxItems ||
      current.metrics.length >= 100
    if (full) void flush().catch(() => undefined)
    else timer ??= setTimeout(() => void flush().catch(() => undefined), flushMs)
  }
  const sizeOf = (value: unknown): number => JSON.stringify(value)?.length ?? 4

  return {
    progress(percent: number, message?: string) {
      current.percent = percent
      if (message !== undefined) current.message = message.slice(0, 2000)
      added(100)
    },
    output(chunk: unknown) {
      current.output.push({ chunk })
      added(sizeOf(chunk))
    },
    log(entry: NonNullable<Report['logs']>[number]) {
      current.logs.push({ ...entry, message: entry.message.slice(0, 16_000) })
      added(sizeOf(entry))
    },
    metric(entry: NonNullable<Report['metrics']>[number]) {
      current.metrics.push(entry)
      added(sizeOf(entry))
    },
    usage(used: Usage) {
      current.usage = addUsage(current.usage, used)
      added(50)
    },
    /** Durable when it resolves. */
    async checkpoint(value: unknown) {
      await flush()
      await send({ checkpoint: value })
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
