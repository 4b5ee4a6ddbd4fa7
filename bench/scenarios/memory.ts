import { setTimeout as sleep } from 'node:timers/promises'
import { atMost, ms, shown } from '../row.ts'
import { residentMb, startProduct } from '../targets.ts'
import type { Scenario } from './scenario.ts'

/** The server at rest, without agents. */
export const atRest: Scenario = async () => {
  const product = await startProduct(['--no-agents'])
  await sleep(1000)
  const rest = residentMb(product.pid)
  product.stop()
  return [
    atMost('server start → ready', product.readyMs / 1000, 2, ms(product.readyMs), { unit: ' s' }),
    atMost('resident at rest, without agents', rest, 150, `${rest.toFixed(0)} MB`, { unit: ' MB' }),
  ]
}

/** The server that has done what came before. */
export const afterwards: Scenario = async ({ product }) => {
  const now = residentMb(product.pid)
  return [shown('resident after all of the above', now, `${now.toFixed(0)} MB`)]
}
