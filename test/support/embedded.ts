import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startLoops } from '#cli/server/loops.ts'
import { createApi } from '#functions/api/app.ts'
import { createApiKey } from '#shared/domain/access/api-key.ts'
import {
  type ClosableHosts,
  createEmbeddedPlatform,
  type EmbeddedPlatform,
} from '#shared/platform/embedded/create-embedded-platform.ts'
import type { Clock } from '#shared/platform/platform.ts'

/** A host on which nothing runs by itself: the test plays the instances. */
export const noHosts = (): ClosableHosts => ({
  scale: async () => undefined,
  instances: async () => [],
  drain: async () => undefined,
  stop: async () => undefined,
  protect: async () => undefined,
  close: async () => undefined,
})

/** The real embedded platform over a folder that goes away with `close`. */
export const aPlatform = async (
  folder?: string,
  clock?: Clock,
): Promise<{ platform: EmbeddedPlatform; dataDir: string; close: () => Promise<void> }> => {
  const home = folder ?? (await mkdtemp(join(tmpdir(), 'devcycle-test-')))
  const dataDir = join(home, 'data')
  const platform = await createEmbeddedPlatform({
    dataDir,
    baseUrl: () => 'http://127.0.0.1:1',
    hosts: noHosts,
    log: () => undefined,
    clock,
  })
  const close = async (): Promise<void> => {
    await platform.close()
    if (folder === undefined) await rm(home, { recursive: true, force: true })
  }
  return { platform, dataDir, close }
}

/** Parsed JSON, of whatever shape the test expects. */
type Json = ReturnType<typeof JSON.parse>

export type Answer = { status: number; headers: Headers; body: Json }

/** The API over a real embedded platform with its loops running, called without a socket. */
export const anApi = async ({ tenant = 'default', clock }: { tenant?: string; clock?: Clock } = {}) => {
  const { platform, close } = await aPlatform(undefined, clock)
  const app = createApi({ platform, settings: { version: '0.0.0', streamSeconds: 5, holdSeconds: 25 } })
  const loops = startLoops(platform)
  const keyOf = async (owner: string, role: 'admin' | 'agent' = 'admin') =>
    (await createApiKey(platform, { tenant: owner, role, name: 'test' })).apiKey
  const apiKey = await keyOf(tenant)

  const request = async (
    method: string,
    path: string,
    options: { body?: unknown; key?: string | null; headers?: Record<string, string> } = {},
  ): Promise<Answer> => {
    const { body, key = apiKey, headers = {} } = options
    const response = await app.request(
      path.startsWith('/api') || path.startsWith('//') ? path.replace('//', '/') : `/api/v2${path}`,
      {
        method,
        headers: {
          ...(key !== null && { authorization: `Bearer ${key}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
      },
    )
    const text = await response.text()
    const json = (response.headers.get('content-type') ?? '').includes('json')
    return { status: response.status, headers: response.headers, body: json && text !== '' ? JSON.parse(text) : text }
  }
  return {
    platform,
    app,
    apiKey,
    keyOf,
    request,
    get: (path: string, options = {}) => request('GET', path, options),
    post: (path: string, body?: unknown, options = {}) => request('POST', path, { body, ...options }),
    async close() {
      await loops.stop()
      await close()
    },
  }
}
export type TestApi = Awaited<ReturnType<typeof anApi>>
