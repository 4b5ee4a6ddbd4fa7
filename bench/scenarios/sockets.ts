import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { ask, register, submit } from '../api.ts'
import { atMost, ms } from '../row.ts'
import { quantile } from '../statistics.ts'
import { residentMb } from '../targets.ts'
import type { Scenario } from './scenario.ts'

const sockets = 1000
const rounds = 20
const width = 50
/** Changes that follow each other within 250 ms are told together. */
const apartMs = 300

/** A socket that watches tasks: `saw(id)` resolves when a change of that task has been told. */
const startWatcher = async (url: string, key: string) => {
  const told = new Set<string>()
  const waiting = new Map<string, () => void>()
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${key}` } })
  const subscribed = new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.on('open', () => socket.send('{"type":"subscribe","topic":"tasks"}'))
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data)) as { type: string; id?: string }
      if (frame.type === 'subscribed') resolve()
      if (frame.type !== 'changed' || frame.id === undefined) return
      told.add(frame.id)
      waiting.get(frame.id)?.()
    })
  })
  await subscribed
  return {
    saw: (id: string): Promise<void> =>
      told.has(id) ? Promise.resolve() : new Promise((resolve) => waiting.set(id, resolve)),
    stop: () => socket.terminate(),
  }
}
type Watcher = Awaited<ReturnType<typeof startWatcher>>

/** A thousand sockets that watch tasks, with one update each: from a submit to the last socket that was told. */
export const watchers: Scenario = async ({ product }) => {
  await register(product, 'sockets')
  const { url } = await ask<{ url: string }>(product, 'POST', '/ws/ticket')
  const before = residentMb(product.pid)
  const all: Watcher[] = []
  while (all.length < sockets)
    all.push(
      ...(await Promise.all(
        Array.from({ length: width }, () => startWatcher(url.replace(/\?.*/, ''), product.apiKey)),
      )),
    )
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    await sleep(apartMs)
    const began = performance.now()
    const id = await submit(product, 'sockets')
    await Promise.all(all.map((one) => one.saw(id)))
    times.push(performance.now() - began)
  }
  const grown = residentMb(product.pid) - before
  for (const one of all) one.stop()
  const measured = `p50 ${ms(quantile(times, 0.5))}, p95 ${ms(quantile(times, 0.95))}`
  return [
    atMost('a change to 1,000 sockets, p95', quantile(times, 0.95), 1000, measured, { unit: ' ms' }),
    atMost('memory of 1,000 sockets', grown, 200, `${grown.toFixed(0)} MB`, { unit: ' MB' }),
  ]
}
