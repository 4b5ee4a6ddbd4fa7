import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ObjectKey, Presigned } from '../platform.ts'

type Request = {
  method: 'GET' | 'PUT'
  key: ObjectKey
  seconds: number
  contentType?: string
  sha256?: string
  fileName?: string
}
export type Verified = ObjectKey & { contentType?: string; sha256?: string; fileName?: string }

export type Presigner = {
  sign(request: Request): Presigned
  /** What the address allows; `undefined` when it was not signed here, for another method, or is over. */
  verify(url: URL, method: string): Verified | undefined
}

const optional = ['contentType', 'sha256', 'fileName'] as const

/** The server's own key for addresses, made at the first start. */
const loadKey = (dataDir: string): Buffer => {
  const file = join(dataDir, 'signing.key')
  try {
    return readFileSync(file)
  } catch {
    const key = randomBytes(32)
    writeFileSync(file, key, { mode: 0o600 })
    return key
  }
}

/** Signs addresses of objects: whoever has one may use it until it is over. `baseUrl` is known after listening. */
export const createPresigner = ({ dataDir, baseUrl }: { dataDir: string; baseUrl: () => string }): Presigner => {
  const key = loadKey(dataDir)
  const signatureOf = (path: string, method: string, parameters: URLSearchParams): Buffer => {
    const signed = [...parameters].filter(([name]) => name !== 'signature').sort()
    return createHmac('sha256', key)
      .update(JSON.stringify([method, path, signed]))
      .digest()
  }
  return {
    sign({ method, key: object, seconds, ...rest }) {
      const expiresAt = Date.now() + seconds * 1000
      const url = new URL(`/api/v2/objects/${object.id}/content`, baseUrl())
      url.searchParams.set('tenant', object.tenant)
      url.searchParams.set('expires', String(expiresAt))
      for (const name of optional) if (rest[name] !== undefined) url.searchParams.set(name, rest[name])
      url.searchParams.set('signature', signatureOf(url.pathname, method, url.searchParams).toString('base64url'))
      const headers: Record<string, string> = rest.contentType ? { 'content-type': rest.contentType } : {}
      return { method, url: url.href, headers, expiresAt }
    },
    verify(url, method) {
      const given = Buffer.from(url.searchParams.get('signature') ?? '', 'base64url')
      const right = signatureOf(url.pathname, method, url.searchParams)
      if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined
      if (Number(url.searchParams.get('expires')) <= Date.now()) return undefined
      const id = /^\/api\/v2\/objects\/([^/]+)\/content$/.exec(url.pathname)?.[1] ?? ''
      const known = optional.flatMap((name) => {
        const value = url.searchParams.get(name)
        return value === null ? [] : [[name, value] as const]
      })
      return { tenant: url.searchParams.get('tenant') ?? '', id, ...Object.fromEntries(known) }
    },
  }
}
