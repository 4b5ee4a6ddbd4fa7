import type { Hono, MiddlewareHandler } from 'hono'
import { HttpError, toProblem } from '#functions/api/errors.ts'
import type { ApiEnv } from '#functions/api/operation.ts'
import { DomainError } from '#shared/domain/domain-error.ts'
import type { EmbeddedPlatform } from '#shared/platform/embedded/create-embedded-platform.ts'
import { ulid } from '#shared/platform/ulid.ts'

/** The most an object may have. */
const maxObjectBytes = 5 * 1024 ** 3

/** What only this host serves by itself: the bytes behind presigned addresses, and Prometheus metrics. */
export const mountEmbedded = (app: Hono<ApiEnv>, platform: EmbeddedPlatform, check: MiddlewareHandler): void => {
  app.use(check)
  app.onError(
    (error) =>
      toProblem(
        error,
        ulid(platform.clock.now(), (length) => platform.random.bytes(length)),
      ).response,
  )
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
  const { tenant, id, sha256, contentType } = verified(platform, url, 'PUT')
  if (Number(request.headers.get('content-length') ?? 0) > maxObjectBytes)
    throw new HttpError('PAYLOAD_TOO_LARGE', `an object may have ${maxObjectBytes} bytes`)
  const body = request.body ?? new Uint8Array()
  const stat = await platform.objects.put({ tenant, id }, body, { contentType, sha256 })
  return Response.json(stat)
}
