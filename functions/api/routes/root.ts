import type { Hono, Context as HonoContext } from 'hono'
import document from '../../../docs/openapi.json' with { type: 'json' }
import type { ApiEnv, Context } from '../operation.ts'

/** Health, readiness and the API's own description: at the root, open to everybody. */
export const mountRoot = (app: Hono<ApiEnv>, { platform, settings }: Context): void => {
  const text = JSON.stringify(document)
  app.get('/healthz', (c) => c.json({ status: 'ok', version: settings.version }))
  app.get('/readyz', (c) => ready(c, { platform, settings }))
  app.get('/openapi.json', (c) => c.body(text, 200, { 'content-type': 'application/json' }))
}

const ready = async (c: HonoContext<ApiEnv>, { platform, settings }: Context): Promise<Response> => {
  await platform.main.get({ pk: 'platform#ready', sk: 'head' })
  return c.json({ status: 'ready', version: settings.version })
}
