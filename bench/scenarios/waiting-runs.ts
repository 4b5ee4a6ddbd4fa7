import { setTimeout as sleep } from 'node:timers/promises'
import { ask } from '../api.ts'
import { shown } from '../row.ts'
import { inParallel } from '../statistics.ts'
import { type Product, residentMb, startProduct } from '../targets.ts'
import type { Scenario } from './scenario.ts'

const runs = 5000
const definition = 'workflow: waiting\nsteps:\n  - { name: pause, kind: wait, for: 24h }\n'

/** Resident memory once nothing more is done, and what was only needed for a start has gone. */
const settled = async ({ pid }: Product): Promise<number> => {
  await sleep(5000)
  return residentMb(pid)
}

const startRuns = (product: Product): Promise<void> =>
  inParallel(runs, 50, async (n) => void (await ask(product, 'POST', '/workflows/waiting/runs', { input: { n } })))

const requireWaiting = async (product: Product): Promise<void> => {
  const { items } = await ask<{ items: { state: string }[] }>(product, 'GET', '/runs?limit=200')
  if (items.length < 200 || items.some(({ state }) => state !== 'RUNNING'))
    throw new Error(`runs wait for a day; received ${items.length} of ${items.map(({ state }) => state)}`)
}

/** What a run costs that waits for a day: in the server that started it, and in one that was started since. */
export const waitingRuns: Scenario = async () => {
  const first = await startProduct(['--no-agents'])
  await ask(first, 'POST', '/workflows', { definition })
  const before = await settled(first)
  await startRuns(first)
  await requireWaiting(first)
  const after = await settled(first)
  first.stop()
  await sleep(3000)
  const again = await startProduct(['--no-agents'], first.dataDir)
  const later = await settled(again)
  again.stop()
  const kb = (mb: number): number => Math.max(0, mb * 1024) / runs
  return [
    shown(
      'KB of a waiting run, in the server that started it',
      kb(after - before),
      `${before.toFixed(0)} → ${after.toFixed(0)} MB with ${runs} of them`,
    ),
    shown('KB of a waiting run, after a start', kb(later - before), `${later.toFixed(0)} MB with ${runs} of them`),
  ]
}
