import { createHmac, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock, ObjectKey, Presigned, Random } from '../platform.ts'
import { writeDurably } from './durable-file.ts'

/** What an address says besides the object: all of it is signed, and all of it comes back from `verify`. */
type Terms = { contentType?: string; sha256?: string; size?: number; fileName?: string }
type Request = Terms & { method: 'GET' | 'PUT'; key: ObjectKey; seconds: number }
export type Verified = ObjectKey & Terms

export type Presigner = {
  sign(request: Request): Presigned
  /** What the address allows; `undefined` when it was not signed here, for another method, or is over. */
  verify(url: URL, method: string): Verified | undefined
}

const keyLength = 32

/** The server's own key for addresses, made at the first start. */
const loadKey = (dataDir: string, random: Random): Uint8Array => {
  const file = join(dataDir, 'signing.key')
  try {
    return readFileSync(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    const key = random.bytes(keyLength)
    writeDurably(file, key)
    return key
  }
}

type Options = { dataDir: string; baseUrl: () => string; clock: Clock; random: Random }

/** Signs addresses of objects: whoever has one may use it until it is over. `baseUrl` is known after listening. */
export const createPresigner = ({ dataDir, baseUrl, clock, random }: Options): Presigner => {
  const key = loadKey(dataDir, random)
  const signatureOf = (path: string, method: string, parameters: URLSearchParams): Buffer => {
    const signed = [...parameters].filter(([name]) => name !== 'signature').sort()
    return createHmac('sha256', key)
      .update(JSON.stringify([method, path, signed]))
      .digest()
  }
  return {
    sign({ method, key: object, seconds, ...terms }) {
      const expiresAt = clock.now() + seconds * 1000
      const url = new URL(`/api/v2/objects/${object.id}/content`, baseUrl())
      const said = { tenant: object.tenant, expires: expiresAt, ...terms }
      for (const [name, value] of Object.entries(said))
        if (value !== undefined) url.searchParams.set(name, String(value))
      url.searchParams.set('signature', signatureOf(url.pathname, method, url.searchParams).toString('base64url'))
      const headers: Record<string, string> = terms.contentType ? { 'content-type': terms.contentType } : {}
      return { method, url: url.href, headers, expiresAt }
    },
    verify(url, method) {
      const given = Buffer.from(url.searchParams.get('signature') ?? '', 'base64url')
      const right = signatureOf(url.pathname, method, url.searchParams)
      if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined
      if (Number(url.searchParams.get('expires')) <= clock.now()) return undefined
      return readTerms(url)
    },
  }
}

const readTerms = ({ pathname, searchParams }: URL): Verified => {
  const text = (name: string): string | undefined => searchParams.get(name) ?? undefined
  const size = text('size')
  return {
    tenant: text('tenant') ?? '',
    id: /^\/api\/v2\/objects\/([^/]+)\/content$/.exec(pathname)?.[1] ?? '',
    contentType: text('contentType'),
    sha256: text('sha256'),
    fileName: text('fileName'),
    ...(size !== undefined && { size: Number(size) }),
  }
}
