import type { Hono, MiddlewareHandler } from 'hono'
import { HttpError, nothingAt, toProblem } from '#functions/api/errors.ts'
import type { ApiEnv } from '#functions/api/operation.ts'
import { DomainError, invalid } from '#shared/domain/domain-error.ts'
import type { EmbeddedPlatform } from '#shared/platform/embedded/create-embedded-platform.ts'
import { PlatformError } from '#shared/platform/platform-error.ts'
import { ulid } from '#shared/platform/ulid.ts'

/** The most an object may have. */
const maxObjectBytes = 5 * 1024 ** 3

/** What only this host serves by itself: the bytes behind presigned addresses, and Prometheus metrics. */
export const mountEmbedded = (app: Hono<ApiEnv>, platform: EmbeddedPlatform, check: MiddlewareHandler): void => {
  const refuse = (error: unknown): Response => {
    const requestId = ulid(platform.clock.now(), (length) => platform.random.bytes(length))
    return toProblem(error, requestId).response
  }
  app.use(check)
  app.onError(refuse)
  app.notFound((c) => refuse(nothingAt(c.req.method, c.req.path)))
  app.get('/metrics', async (c) =>
    c.body(await platform.metricsText(), 200, { 'content-type': 'text/plain; version=0.0.4' }),
  )
  app.get('/api/v2/objects/:id/content', (c) => download(platform, new URL(c.req.url)))
  app.put('/api/v2/objects/:id/content', (c) => upload(platform, new URL(c.req.url), c.req.raw))
}

const verified = (platform: EmbeddedPlatform, url: URL, method: 'GET' | 'PUT') => {
  const signed = platform.verifyPresigned(url, method)
  if (signed === undefined)
    throw new DomainError('FORBIDDEN', 'the address is not signed for this, or its time is over; ask for a new one')
  return signed
}

const download = async (platform: EmbeddedPlatform, url: URL): Promise<Response> => {
  const { tenant, id } = verified(platform, url, 'GET')
  const found = await platform.objects.get({ tenant, id })
  if (found === undefined) throw new DomainError('NOT_FOUND', `object ${id} has no content yet`)
  const { size, contentType = 'application/octet-stream' } = found.stat
  const headers = { 'content-type': contentType, 'content-length': String(size), 'x-content-type-options': 'nosniff' }
  return new Response(found.body, { headers })
}

const upload = async (platform: EmbeddedPlatform, url: URL, request: Request): Promise<Response> => {
  const { tenant, id, sha256, contentType, size } = verified(platform, url, 'PUT')
  const length = request.headers.get('content-length')
  if (Number(length ?? 0) > maxObjectBytes)
    throw new HttpError('PAYLOAD_TOO_LARGE', `an object may have ${maxObjectBytes} bytes`)
  if (size !== undefined && Number(length ?? Number.NaN) !== size)
    throw invalid('#', 'SIZE', `the object was declared with ${size} bytes; send just as many, with Content-Length`)
  const body = request.body ?? new Uint8Array()
  return Response.json(await platform.objects.put({ tenant, id }, body, { contentType, sha256 }).catch(ofContent))
}

/** What storage has against the bytes is a refusal of the body. */
const ofContent = (error: unknown): never => {
  throw error instanceof PlatformError && error.code === 'INVALID' ? invalid('#', 'CHECKSUM', error.message) : error
}
