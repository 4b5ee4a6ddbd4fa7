import { createApiKey } from '#shared/domain/access/api-key.ts'
import type { Platform } from '#shared/platform/platform.ts'

/** Makes an administrator's key of the default tenant. It is readable only here and now. */
export const bootstrap = async (platform: Platform): Promise<{ apiKey: string }> => {
  const { apiKey } = await createApiKey(platform, { tenant: 'default', role: 'admin', name: 'bootstrap' })
  return { apiKey }
}
