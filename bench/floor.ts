import { setTimeout as sleep } from 'node:timers/promises'
import { post } from './http.ts'

/** The two durable writes that a task needs. */
export const floorTask = async (url: string, id: string, workMs = 0): Promise<void> => {
  await post(`${url}/write`, { id, step: 'submit' })
  if (workMs > 0) await sleep(workMs)
  await post(`${url}/write`, { id, step: 'complete' })
}

export const timed = async (work: () => Promise<void>): Promise<number> => {
  const began = performance.now()
  await work()
  return performance.now() - began
}
