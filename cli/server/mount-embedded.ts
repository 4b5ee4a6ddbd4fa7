import type { Context, Hono, MiddlewareHandler } from 'hono'
import { HttpError, nothingAt, toProblem } from '#functions/api/errors.ts'
import type { ApiEnv } from '#functions/api/operation.ts'
import { DomainError, invalid } from '#shared/domain/domain-error.ts'
import type { EmbeddedPlatform } from '#shared/platform/embedded/create-embedded-platform.ts'
import type { Verified } from '#shared/platform/embedded/presigner.ts'
import { PlatformError } from '#shared/platform/platform-error.ts'
import { ulid } from '#shared/platform/ulid.ts'
import { boundedBody, maxObjectBytes, tooManyBytes } from './bounded-body.ts'

const contentPath = '/api/v2/objects/:id/content'

/** What only this host serves by itself: the bytes behind presigned addresses, and Prometheus metrics. */
export const mountEmbedded = (app: Hono<ApiEnv>, platform: EmbeddedPlatform, check: MiddlewareHandler): void => {
  app.use(check)
  app.onError((error, c) => refuse(platform, c, error))
  app.notFound((c) => refuse(platform, c, nothingAt(c.req.method, c.req.path)))
  app.get('/metrics', async (c) =>
    c.body(await platform.metricsText(), 200, { 'content-type': 'text/plain; version=0.0.4' }),
  )
  app.get(contentPath, (c) => download(platform, c.req.raw))
  app.put(contentPath, (c) => upload(platform, c.req.raw))
  mountOtherMethods(app, '/metrics', 'GET, HEAD, OPTIONS')
  mountOtherMethods(app, contentPath, 'GET, PUT, HEAD, OPTIONS')
}

const mountOtherMethods = (app: Hono<ApiEnv>, path: string, allow: string): void => {
  app.all(path, (c) => {
    if (c.req.method === 'OPTIONS') return new Response(null, { status: 204, headers: { allow } })
    throw new HttpError('METHOD_NOT_ALLOWED', `${c.req.method} is not possible here; allowed: ${allow}`, { allow })
  })
}

/** A problem under the request id that the API gave, if the request came that far. */
const refuse = (platform: EmbeddedPlatform, c: Context<ApiEnv>, error: unknown): Response => {
  const mint = (): string => ulid(platform.clock.now(), (length) => platform.random.bytes(length))
  const requestId = (c.get('requestId') as string | undefined) ?? mint()
  const { response, status } = toProblem(error, requestId)
  if (status >= 500) platform.telemetry.log('error', 'a request failed', { requestId, path: c.req.path, error })
  return response
}

const verified = (platform: EmbeddedPlatform, url: URL, method: 'GET' | 'PUT'): Verified => {
  const signed = platform.verifyPresigned(url, method)
  if (signed === undefined)
    throw new DomainError('FORBIDDEN', 'the address is not signed for this, or its time is over; ask for a new one')
  return signed
}

const download = async (platform: EmbeddedPlatform, { url, method }: Request): Promise<Response> => {
  const { tenant, id, fileName } = verified(platform, new URL(url), 'GET')
  const found = await platform.objects.get({ tenant, id })
  if (found === undefined) throw new DomainError('NOT_FOUND', `object ${id} has no content yet`)
  const { size, contentType = 'application/octet-stream' } = found.stat
  const headers = { 'content-type': contentType, 'content-length': String(size), ...asFile(fileName) }
  if (method !== 'HEAD') return new Response(found.body, { headers })
  await found.body.cancel()
  return new Response(null, { headers })
}

/** Whoever uploaded it, a browser keeps it as a file and runs nothing of it in the name of this server. */
const asFile = (fileName: string | undefined): Record<string, string> => ({
  'content-disposition': `attachment${fileName ? `; filename="${fileName.replaceAll(/[^\w.-]/g, '_')}"` : ''}`,
  'content-security-policy': 'sandbox',
  'x-content-type-options': 'nosniff',
})

const upload = async (platform: EmbeddedPlatform, request: Request): Promise<Response> => {
  const { tenant, id, sha256, contentType, size } = verified(platform, new URL(request.url), 'PUT')
  const length = request.headers.get('content-length')
  if (Number(length ?? 0) > maxObjectBytes) throw tooManyBytes(maxObjectBytes)
  if (size !== undefined && Number(length ?? Number.NaN) !== size)
    throw invalid('#', 'SIZE', `the object was declared with ${size} bytes; send just as many, with Content-Length`)
  const body = bodyOf(request, length === null)
  const stored = await platform.objects.putOnce({ tenant, id }, body, { contentType, sha256 }).catch(ofContent)
  if (stored === undefined)
    throw new DomainError('PRECONDITION_FAILED', `object ${id} has other content, which stays; make a new object`)
  return Response.json(stored)
}

/** HTTP itself holds a body to the length that its headers tell. */
const bodyOf = ({ body }: Request, isOpenEnded: boolean): ReadableStream<Uint8Array> | Uint8Array => {
  if (body === null) return new Uint8Array()
  return isOpenEnded ? boundedBody(body) : body
}

/** What storage has against the bytes is a refusal of the body. */
const ofContent = (error: unknown): never => {
  throw error instanceof PlatformError && error.code === 'INVALID' ? invalid('#', 'CHECKSUM', error.message) : error
}
