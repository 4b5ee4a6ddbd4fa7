/** BullMQ behind the same HTTP server as the floor: submit, lease up to N, complete. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { type Job, Queue, Worker } from 'bullmq'
import { Hono } from 'hono'
import { Redis } from 'ioredis'

const connection = new Redis(Number(process.argv[2]), '127.0.0.1', { maxRetriesPerRequest: null })
const queue = new Queue('bench', { connection })
const worker = new Worker('bench', undefined, { connection, autorun: false })
const held = new Map<string, Job>()
const token = 'bench'

const take = async (max: number): Promise<Job[]> => {
  const jobs = await Promise.all(Array.from({ length: max }, () => worker.getNextJob(token, { block: false })))
  return jobs.filter((job) => job?.id !== undefined)
}

const app = new Hono()
app.post('/submit', async (c) => c.json({ id: (await queue.add('task', await c.req.json())).id }))
app.post('/lease', async (c) => {
  const jobs = await take(((await c.req.json()) as { max: number }).max)
  for (const job of jobs) held.set(job.id ?? '', job)
  return c.json({ tasks: jobs.map(({ id, data }) => ({ taskId: id, input: data as unknown })) })
})
app.post('/complete', async (c) => {
  const { taskIds } = (await c.req.json()) as { taskIds: string[] }
  await Promise.all(taskIds.map((id) => held.get(id)?.moveToCompleted({ ok: true }, token, false)))
  for (const id of taskIds) held.delete(id)
  return c.json({})
})

const server = createServer(getRequestListener(app.fetch, { overrideGlobalObjects: false }))
server.listen(0, '127.0.0.1', () =>
  process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }),
)
process.on('disconnect', () => process.exit(0))
