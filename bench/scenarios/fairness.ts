import { register, submit, submitMany } from '../api.ts'
import { atMost, ms } from '../row.ts'
import { quantile } from '../statistics.ts'
import { startWorker } from '../worker.ts'
import type { Scenario } from './scenario.ts'

const backlog = 10_000
const workMs = 20
const rounds = 20

/** How long tasks take to start that come into a backlog of ten thousand: of another key, and of a higher lane. */
export const fairness: Scenario = async ({ product }) => {
  await register(product, 'fair')
  await submitMany(product, 'fair', backlog, { priority: 'low', fairnessKey: 'noisy' })
  const began = new Map<string, number>()
  const waits = { quiet: [] as number[], urgent: [] as number[] }
  const kinds = new Map<string, keyof typeof waits>()
  const starts = new Map<string, () => void>()
  const onStart = (id: string): void => {
    const kind = kinds.get(id)
    if (kind) waits[kind].push(performance.now() - (began.get(id) ?? 0))
    starts.get(id)?.()
  }
  const worker = await startWorker(product, { agent: 'fair', slots: 4, workMs, onStart, onEnd: () => undefined })
  const place = async (kind: keyof typeof waits, more: object): Promise<void> => {
    const now = performance.now()
    const id = await submit(product, 'fair', { ...more, labels: { kind } })
    began.set(id, now)
    kinds.set(id, kind)
    await new Promise<void>((resolve) => starts.set(id, resolve))
  }
  for (let n = 0; n < rounds; n++) {
    await place('quiet', { priority: 'low', fairnessKey: `quiet-${n}` })
    await place('urgent', { priority: 'urgent', fairnessKey: 'noisy' })
  }
  await worker.stop()
  const row = (what: string, list: number[]) =>
    atMost(what, quantile(list, 0.95) / workMs, 3, `p50 ${ms(quantile(list, 0.5))}, p95 ${ms(quantile(list, 0.95))}`)
  return [
    row(`start of another key behind 10,000 tasks, p95, in turns of ${workMs} ms`, waits.quiet),
    row(`start of an urgent task behind 10,000 low ones, p95, in turns of ${workMs} ms`, waits.urgent),
  ]
}
