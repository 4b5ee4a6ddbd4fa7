import type { LeaseAnswer } from '#shared/contracts/worker.ts'
import { register, submit, submitMany } from '../api.ts'
import { post } from '../http.ts'
import { atMost, ms, type Row } from '../row.ts'
import { quantile } from '../statistics.ts'
import type { Product } from '../targets.ts'
import type { Scenario } from './scenario.ts'

const steps = [1000, 25_000, 50_000, 75_000, 100_000]
const samples = 100

type Costs = { backlog: number; submit: number; lease: number }

const timedOf = async (work: () => Promise<unknown>): Promise<number> => {
  const times: number[] = []
  for (let n = 0; n < samples; n++) {
    const began = performance.now()
    await work()
    times.push(performance.now() - began)
  }
  return quantile(times, 0.5)
}

const costsAt = async (product: Product, backlog: number, instance: { id: string; token: string }): Promise<Costs> => ({
  backlog,
  submit: await timedOf(() => submit(product, 'backlog')),
  lease: await timedOf(async () => {
    const { body } = await post(`${product.url}/api/v2/instances/${instance.id}/lease`, { max: 1 }, instance.token)
    if ((body as LeaseAnswer).tasks.length !== 1) throw new Error('nothing was leased from a backlog')
  }),
})

/** By how much a cost grows from the first step to the last, as a share of the first: least squares over the steps. */
const growth = (points: [x: number, y: number][]): number => {
  const mean = (at: 0 | 1): number => points.reduce((sum, point) => sum + point[at], 0) / points.length
  const [x, y] = [mean(0), mean(1)]
  const slope =
    points.reduce((sum, [px, py]) => sum + (px - x) * (py - y), 0) /
    points.reduce((sum, [px]) => sum + (px - x) ** 2, 0)
  return (slope * (steps.at(-1) ?? 0)) / (points[0]?.[1] ?? 1)
}

/** What a submit and a lease cost while ever more tasks are queued. */
export const backlog: Scenario = async ({ product }) => {
  await register(product, 'backlog')
  const joined = (await post(`${product.url}/api/v2/instances`, { agent: 'backlog', slots: 10_000 }, product.apiKey))
    .body as { instanceId: string; token: string }
  const costs: Costs[] = []
  let queued = 0
  for (const step of steps) {
    await submitMany(product, 'backlog', step - queued)
    queued = step
    costs.push(await costsAt(product, step, { id: joined.instanceId, token: joined.token }))
  }
  const row = (what: 'submit' | 'lease'): Row => {
    const list = costs.map((one) => `${ms(one[what])} at ${one.backlog / 1000}k`)
    return atMost(
      `${what} p50: growth to 100,000 queued`,
      growth(costs.map((one) => [one.backlog, one[what]])),
      0.5,
      list.join(', '),
    )
  }
  return [row('submit'), row('lease')]
}
