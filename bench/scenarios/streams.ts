import { get } from 'node:http'
import type { Joined, LeaseAnswer } from '#shared/contracts/worker.ts'
import { register, submit } from '../api.ts'
import { post } from '../http.ts'
import { atMost, ms } from '../row.ts'
import { quantile } from '../statistics.ts'
import { residentMb } from '../targets.ts'
import type { Scenario } from './scenario.ts'

const readers = 1000
const rounds = 20

/** One reader of server-sent events: `saw(n)` resolves when the n-th chunk has come. */
const startReader = async (url: string, key: string) => {
  let count = 0
  const waiting = new Map<number, () => void>()
  const headers = { authorization: `Bearer ${key}`, accept: 'text/event-stream' }
  const request = get(url, { headers, agent: false }, (response) => {
    response.setEncoding('utf8')
    response.on('data', (text: string) => {
      for (let found = text.split('event: task.output').length - 1; found > 0; found--) waiting.get(++count)?.()
    })
  })
  await new Promise((resolve, reject) => request.once('response', resolve).once('error', reject))
  return {
    saw: (n: number): Promise<void> =>
      count >= n ? Promise.resolve() : new Promise((resolve) => waiting.set(n, resolve)),
    stop: () => request.destroy(),
  }
}

/** A thousand readers of one task: from a report to the last reader that has it. */
export const streams: Scenario = async ({ product }) => {
  await register(product, 'stream')
  const base = `${product.url}/api/v2`
  const { instanceId, token } = (await post(`${base}/instances`, { agent: 'stream' }, product.apiKey)).body as Joined
  const id = await submit(product, 'stream')
  const { tasks } = (await post(`${base}/instances/${instanceId}/lease?wait=5`, { max: 1 }, token)).body as LeaseAnswer
  const before = residentMb(product.pid)
  const all = await Promise.all(
    Array.from({ length: readers }, () => startReader(`${base}/tasks/${id}/events`, product.apiKey)),
  )
  const times: number[] = []
  for (let n = 1; n <= rounds; n++) {
    const began = performance.now()
    const report = { fence: tasks[0]?.fence, output: [{ chunk: n }] }
    await Promise.all([post(`${base}/tasks/${id}/progress`, report, token), ...all.map((one) => one.saw(n))])
    times.push(performance.now() - began)
  }
  const grown = residentMb(product.pid) - before
  for (const one of all) one.stop()
  const measured = `p50 ${ms(quantile(times, 0.5))}, p95 ${ms(quantile(times, 0.95))}`
  return [
    atMost('a chunk to 1,000 SSE readers, p95', quantile(times, 0.95), 1000, measured, { unit: ' ms' }),
    atMost('memory of 1,000 SSE readers', grown, 200, `${grown.toFixed(0)} MB`, { unit: ' MB' }),
  ]
}
