import type { Hono, Context as HonoContext } from 'hono'
import type { ApiEnv, Context } from '../operation.ts'

/** Loaded when it is asked for: it is a megabyte. */
const describeApi = async (): Promise<string> => {
  const { default: document } = await import('../../../docs/openapi.json', { with: { type: 'json' } })
  return JSON.stringify(document)
}

/** Health, readiness and the API's own description: at the root, open to everybody. */
export const mountRoot = (app: Hono<ApiEnv>, { platform, settings }: Context): void => {
  app.get('/healthz', (c) => c.json({ status: 'ok', version: settings.version }))
  app.get('/readyz', (c) => ready(c, { platform, settings }))
  app.get('/openapi.json', async (c) => c.body(await describeApi(), 200, { 'content-type': 'application/json' }))
}

const ready = async (c: HonoContext<ApiEnv>, { platform, settings }: Context): Promise<Response> => {
  await platform.main.get({ pk: 'platform#ready', sk: 'head' })
  return c.json({ status: 'ready', version: settings.version })
}
