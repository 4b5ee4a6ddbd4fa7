import { Counter, Histogram, Registry } from 'prom-client'
import type { Labels, LogLevel, MetricUnit, Telemetry } from '../platform.ts'

export type JsonTelemetry = Telemetry & {
  /** All metrics in the Prometheus text format. */
  metricsText(): Promise<string>
}

const ranks: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 }

/** Prometheus names are snake case with the unit at the end. */
const metricName = (name: string, unit: MetricUnit): string => {
  const base = name
    .replaceAll(/[^a-zA-Z0-9]+/g, '_')
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
  return `devcycle_${base}_${unit === 'Count' ? 'total' : unit.toLowerCase()}`
}

const durationBuckets = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 60_000, 600_000]

type Options = { write: (line: string) => void; level?: LogLevel; now: () => number }

/** Logs as JSON lines, metrics for Prometheus, spans as log lines of level debug. */
export const createJsonTelemetry = ({ write, level = 'info', now }: Options): JsonTelemetry => {
  const registry = new Registry()
  const counters = new Map<string, Counter>()
  const histograms = new Map<string, Histogram>()

  const log: Telemetry['log'] = (severity, message, fields) => {
    if (ranks[severity] < ranks[level]) return
    try {
      write(`${JSON.stringify({ time: new Date(now()).toISOString(), level: severity, message, ...fields })}\n`)
    } catch {
      // telemetry never throws
    }
  }
  const counterOf = (name: string, labels: Labels): Counter => {
    const known =
      counters.get(name) ?? new Counter({ name, help: name, labelNames: Object.keys(labels), registers: [registry] })
    counters.set(name, known)
    return known
  }
  const histogramOf = (name: string, labels: Labels): Histogram => {
    const options = {
      name,
      help: name,
      labelNames: Object.keys(labels),
      buckets: durationBuckets,
      registers: [registry],
    }
    const known = histograms.get(name) ?? new Histogram(options)
    histograms.set(name, known)
    return known
  }
  const record = (name: string, value: number, unit: MetricUnit, labels: Labels): void => {
    const full = metricName(name, unit)
    if (unit === 'Count') counterOf(full, labels).inc(labels, Math.max(0, value))
    else histogramOf(full, labels).observe(labels, value)
  }

  return {
    log,
    metric(name, value, unit, labels = {}) {
      try {
        record(name, value, unit, labels)
      } catch (error) {
        log('debug', 'a metric was dropped', { name, error: String(error) })
      }
    },
    async span(name, attributes, work) {
      const began = now()
      try {
        return await work()
      } finally {
        log('debug', name, { ...attributes, ms: now() - began })
      }
    },
    flush: async () => undefined,
    metricsText: () => registry.metrics(),
  }
}
