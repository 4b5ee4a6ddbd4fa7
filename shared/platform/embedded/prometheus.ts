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

/** Agents choose names and labels as they like, and whatever was recorded once is kept. */
const mostSeries = 100
const mostNames = 1000

type Instrument = { labelNames: string[]; series: Set<string>; add: (labels: Labels, value: number) => void }

/**
 * Metrics for Prometheus, made when they are first recorded; their labels are those of that first time. After a hundred
 * series of a name, others count without their labels; after a thousand names, others do not count. `warn` is told once.
 */
export const createPrometheus = (warn: (message: string, fields: Labels) => void): Prometheus => {
  const registry = new Registry()
  const instruments = new Map<string, Instrument>()
  const names = new Map<string, string>()
  addProcessMetrics(registry)

  const make = (name: string, labelNames: string[], { buckets }: Kind): Instrument => {
    const common = { name, help: name.replaceAll('_', ' '), labelNames, registers: [registry] }
    if (buckets === undefined) {
      const counter = new Counter(common)
      return { labelNames, series: new Set(), add: (labels, value) => counter.inc(labels, Math.max(0, value)) }
    }
    const histogram = new Histogram({ ...common, buckets })
    return { labelNames, series: new Set(), add: (labels, value) => histogram.observe(labels, value) }
  }
  const warned = new Set<string>()
  const warnOnce = (message: string, fields: Labels = {}): void => {
    const id = JSON.stringify([message, fields])
    if (!warned.has(id)) warn(message, fields)
    warned.add(id)
  }
  /** The name of a metric of each unit is made once. */
  const knownName = (name: string, kind: Kind): string => {
    const id = `${kind.suffix} ${name}`
    const known = names.get(id)
    if (known !== undefined) return known
    const made = nameOf(name, kind)
    if (names.size < mostNames) names.set(id, made)
    return made
  }
  const find = (name: string, labels: Labels, kind: Kind): Instrument | undefined => {
    const known = instruments.get(name)
    if (known) return known
    if (instruments.size >= mostNames) return void warnOnce(`there are ${mostNames} metrics; others are not kept`)
    const made = make(name, Object.keys(labels), kind)
    instruments.set(name, made)
    return made
  }
  /** The labels that the instrument has, unless they would be one series too many. */
  const bounded = (name: string, { labelNames, series }: Instrument, labels: Labels): Labels => {
    const texts = labelNames.map((label) => labels[label] ?? '')
    const id = JSON.stringify(texts)
    const isFull = series.size >= mostSeries && !series.has(id)
    if (isFull) warnOnce(`a metric has ${mostSeries} series; others count without their labels`, { metric: name })
    else series.add(id)
    return Object.fromEntries(labelNames.map((label, at) => [label, isFull ? '' : (texts[at] ?? '')]))
  }
  return {
    record(name, value, unit, labels) {
      const kind = kinds[unit]
      const full = knownName(name, kind)
      const instrument = find(full, labels, kind)
      instrument?.add(bounded(full, instrument, labels), value * kind.scale)
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
