/** The floor: the product's HTTP server and storage doing nothing but the two durable writes that a task needs. */
import { mkdtempSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { createEmbeddedPlatform } from '#shared/platform/embedded/create-embedded-platform.ts'

const unsupported = async (): Promise<never> => {
  throw new Error('the floor runs no agents')
}
const platform = await createEmbeddedPlatform({
  dataDir: join(mkdtempSync(join(tmpdir(), 'devcycle-floor-')), 'data'),
  baseUrl: () => '',
  hosts: () => ({
    scale: unsupported,
    instances: unsupported,
    drain: unsupported,
    stop: unsupported,
    protect: unsupported,
    close: async () => undefined,
  }),
  log: () => undefined,
})

const app = new Hono()
app.post('/write', async (c) => {
  const { id, step } = (await c.req.json()) as { id: string; step: string }
  await platform.volatile.write({
    op: 'put',
    item: { pk: `floor#task#${id}`, sk: 'head', type: 'floor', value: { id, step } },
    expect: 'any',
  })
  return c.json({ id, step })
})

const server = createServer(getRequestListener(app.fetch, { overrideGlobalObjects: false }))
server.listen(0, '127.0.0.1', () =>
  process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }),
)
process.on('disconnect', () => process.exit(0))
