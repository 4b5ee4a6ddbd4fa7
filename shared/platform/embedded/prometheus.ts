import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Labels, MetricUnit } from '../platform.ts'

export type Prometheus = {
  record(name: string, value: number, unit: MetricUnit, labels: Labels): void
  /** All metrics in the text format. */
  text(): Promise<string>
}

const durations = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800]
const sizes = Array.from({ length: 11 }, (_, at) => 256 * 4 ** at)

type Kind = { suffix: string; scale: number; buckets?: number[] }

/** Prometheus counts in base units. https://prometheus.io/docs/practices/naming/#base-units */
const kinds: Record<MetricUnit, Kind> = {
  Count: { suffix: 'total', scale: 1 },
  Milliseconds: { suffix: 'seconds', scale: 0.001, buckets: durations },
  Seconds: { suffix: 'seconds', scale: 1, buckets: durations },
  Bytes: { suffix: 'bytes', scale: 1, buckets: sizes },
  Percent: { suffix: 'ratio', scale: 0.01, buckets: [0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1] },
}

/** `TasksFinished` → `devcycle_tasks_finished_total`. */
const nameOf = (name: string, { suffix }: Kind): string => {
  const words = name.replaceAll(/[^a-zA-Z0-9]+/g, '_').replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
  return `devcycle_${words.toLowerCase()}_${suffix}`
}

type Instrument = { labelNames: string[]; add: (labels: Labels, value: number) => void }

/** Metrics for Prometheus, made when they are first recorded; their labels are those of that first time. */
export const createPrometheus = (): Prometheus => {
  const registry = new Registry()
  const instruments = new Map<string, Instrument>()
  addProcessMetrics(registry)

  const make = (name: string, labelNames: string[], { buckets }: Kind): Instrument => {
    const common = { name, help: name.replaceAll('_', ' '), labelNames, registers: [registry] }
    if (buckets === undefined) {
      const counter = new Counter(common)
      return { labelNames, add: (labels, value) => counter.inc(labels, Math.max(0, value)) }
    }
    const histogram = new Histogram({ ...common, buckets })
    return { labelNames, add: (labels, value) => histogram.observe(labels, value) }
  }
  return {
    record(name, value, unit, labels) {
      const kind = kinds[unit]
      const full = nameOf(name, kind)
      const instrument = instruments.get(full) ?? make(full, Object.keys(labels), kind)
      instruments.set(full, instrument)
      const known = Object.fromEntries(instrument.labelNames.map((label) => [label, labels[label] ?? '']))
      instrument.add(known, value * kind.scale)
    },
    text: () => registry.metrics(),
  }
}

/** Read when they are asked for, which costs nothing between. */
const addProcessMetrics = (registry: Registry): void => {
  const gauges: [string, string, () => number][] = [
    ['process_resident_memory_bytes', 'resident memory of the server', () => process.memoryUsage.rss()],
    ['nodejs_heap_size_used_bytes', 'heap in use', () => process.memoryUsage().heapUsed],
    ['process_uptime_seconds', 'since the server started', () => process.uptime()],
    ['process_cpu_seconds_total', 'processor time', () => cpuSeconds()],
  ]
  for (const [name, help, read] of gauges)
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read())
      },
    })
}

const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
