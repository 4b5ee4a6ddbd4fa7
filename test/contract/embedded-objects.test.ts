import { Hono } from 'hono'
import { mountEmbedded } from '#cli/server/mount-embedded.ts'
import type { ApiEnv } from '#functions/api/operation.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { objectsContract } from './objects-contract.ts'

objectsContract('files', async () => {
  const { platform, close } = await aPlatform()
  const app = new Hono<ApiEnv>()
  mountEmbedded(app, platform, (_, next) => next())
  return {
    objects: platform.objects,
    request: async ({ url, method, headers }, body) => app.request(url, { method, headers, body }),
    close,
  }
})
