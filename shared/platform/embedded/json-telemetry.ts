import type { LogLevel, Telemetry } from '../platform.ts'
import type { Prometheus } from './prometheus.ts'

export type JsonTelemetry = Telemetry & {
  /** All metrics in the Prometheus text format. */
  metricsText(): Promise<string>
}

const ranks: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 }

/** What JSON has no words for. */
const readable = (_: string, value: unknown): unknown => {
  if (typeof value === 'bigint') return String(value)
  if (!(value instanceof Error)) return value
  const { name, message, stack, cause } = value
  return { ...value, name, message, stack, ...(cause !== undefined && { cause }) }
}

const toText = (head: Record<string, unknown>, fields: Record<string, unknown>): string => {
  try {
    return JSON.stringify({ ...fields, ...head }, readable)
  } catch (error) {
    return JSON.stringify({ ...head, unreadable: String(error) })
  }
}

type Options = {
  write: (line: string) => void
  flush?: () => Promise<void>
  /** The least that is logged. @default info */
  level?: LogLevel
  now: () => number
}

/** Logs as JSON lines, metrics for Prometheus, spans as log lines of level debug. */
export const createJsonTelemetry = ({
  write,
  flush = async () => undefined,
  level: least = 'info',
  now,
}: Options): JsonTelemetry => {
  const log: Telemetry['log'] = (level, message, fields = {}) => {
    if (ranks[level] < ranks[least]) return
    try {
      write(`${toText({ time: new Date(now()).toISOString(), level, message }, fields)}\n`)
    } catch {
      // telemetry never throws
    }
  }
  const drop = (name: string) => (error: unknown) => log('warn', 'a metric was dropped', { name, error })
  const recordTo = (known: Prometheus, ...metric: Parameters<Prometheus['record']>): void => {
    try {
      known.record(...metric)
    } catch (error) {
      drop(metric[0])(error)
    }
  }
  let loading: Promise<Prometheus> | undefined
  let loaded: Prometheus | undefined
  /** Loaded with the first metric: a server at rest does not carry it. */
  const prometheus = (): Promise<Prometheus> => {
    loading ??= import('./prometheus.ts').then(({ createPrometheus }) => {
      loaded = createPrometheus((message, fields) => log('warn', message, fields))
      return loaded
    })
    return loading
  }

  return {
    log,
    metric(name, value, unit, labels = {}) {
      if (loaded) recordTo(loaded, name, value, unit, labels)
      else prometheus().then((known) => recordTo(known, name, value, unit, labels), drop(name))
    },
    async span(name, attributes, work) {
      const began = performance.now()
      const end = (failed?: { error: unknown }): void =>
        log('debug', name, { ...attributes, ms: Math.round((performance.now() - began) * 100) / 100, ...failed })
      try {
        const result = await work()
        end()
        return result
      } catch (error) {
        end({ error })
        throw error
      }
    },
    flush,
    metricsText: async () => (await prometheus()).text(),
  }
}
