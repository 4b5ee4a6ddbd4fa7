import { Hono, type Context as HonoContext } from 'hono'
import * as z from 'zod'
import { type Operation, type OperationId, operations } from '#shared/contracts/operations.ts'
import { renewInPassing } from '#shared/domain/instances/heartbeat.ts'
import { ulid } from '#shared/platform/ulid.ts'
import { authorize, identify } from './authorize.ts'
import { openCursor, sealCursor } from './cursors.ts'
import { HttpError, nothingAt, toProblem } from './errors.ts'
import type { ApiEnv, Call, Context, Handler, Reply } from './operation.ts'
import { parseWith, readJson, readQuery, readText } from './read-body.ts'
import { mountRoot } from './routes/root.ts'
import { handlers } from './routes/v2/handlers.ts'

const noFields = z.strictObject({})
type AnyHandler = Handler<Operation>

export const apiBase = '/api/v2'
const toHonoPath = (path: string): string => apiBase + path.replaceAll(/\{(\w+)\}/g, ':$1')

/** The HTTP API on any host: every operation of the contract, and the root documents; behind what `app` serves already. */
export const createApi = (context: Context, app = new Hono<ApiEnv>()): Hono<ApiEnv> => {
  app.use(async (c, next) => {
    c.set('requestId', newRequestId(context))
    await next()
    c.header('x-request-id', c.get('requestId'))
  })
  mountRoot(app, context)
  for (const [id, operation] of Object.entries(operations)) mountOperation(app, context, id as OperationId, operation)
  mountOtherMethods(app)
  app.notFound((c) => refuse(context, c, nothingAt(c.req.method, c.req.path)))
  app.onError((error, c) => refuse(context, c, error))
  return app
}

const newRequestId = ({ platform: { clock, random } }: Context): string =>
  ulid(clock.now(), (length) => random.bytes(length))

/** A problem under the request's id, or one of its own where the request did not come so far. */
const refuse = (context: Context, c: HonoContext<ApiEnv>, error: unknown): Response => {
  const requestId = (c.get('requestId') as string | undefined) ?? newRequestId(context)
  const { response, status } = toProblem(error, requestId)
  if (status >= 500)
    context.platform.telemetry.log('error', 'a request failed', {
      requestId,
      path: c.req.path,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    })
  return response
}

const mountOperation = (app: Hono<ApiEnv>, context: Context, id: OperationId, operation: Operation): void => {
  const handler = handlers[id] as unknown as AnyHandler
  app.on(operation.method, toHonoPath(operation.path), async (c) => {
    const identity = await identify(context.platform, operation, c.req.raw, c.env?.agentHost)
    const params = c.req.param() as Record<string, string>
    authorize(identity, operation, params)
    const asked = operation.raw ? {} : readAsked(operation, c.req.url)
    const call = await readCall(c, { operation, params, query: asked }, { ...identity, requestId: c.get('requestId') })
    if (identity.principal.kind === 'instance' && operation.method === 'POST')
      await renewInPassing(context.platform, call.caller, identity.principal.id)
    return toResponse(sealCursor(operation, asked, await handler(context, call)))
  })
}

/** The query as it was written. An operation that takes none refuses every field; whoever signs a body may have a query of its own. */
const readAsked = (operation: Operation, url: string): Record<string, string> => {
  const asked = url.includes('?') ? readQuery(new URL(url)) : {}
  return operation.query ? asked : parseWith(noFields, asked, '#/query')
}

const readCall = async (
  c: HonoContext<ApiEnv>,
  { operation, params, query: asked }: { operation: Operation; params: Call['params']; query: Record<string, string> },
  caller: Call['caller'],
): Promise<Call> => {
  const query = operation.query && parseWith(operation.query, openCursor(operation, asked), '#/query')
  const request = c.req.raw
  const body = await readBody(operation, request)
  return {
    caller,
    params,
    query,
    body,
    headers: request.headers,
    get signal() {
      return c.env?.hold?.() ?? request.signal // few calls wait, and only they pay for it
    },
  } as Call
}

/** A POST that needs no body takes an empty one, or an empty object. */
const readBody = async ({ method, body, bodyOptional, raw }: Operation, request: Request): Promise<unknown> => {
  if (raw) return readText(request)
  if (body === undefined && method !== 'POST') return undefined
  const given = await readJson(request)
  if (given === undefined && body !== undefined && !bodyOptional)
    throw new HttpError('MALFORMED_JSON', 'the body is empty; send a JSON object')
  return parseWith(body ?? noFields, given === undefined ? {} : given, '#')
}

const toResponse = (reply: Reply | Response): Response => {
  if (reply instanceof Response) return reply
  if (reply.body === undefined) return new Response(null, { status: reply.status, headers: reply.headers })
  const headers = { 'content-type': 'application/json', ...reply.headers }
  return new Response(JSON.stringify(reply.body), { status: reply.status, headers })
}

/** A known path with another method: 405, or 204 to OPTIONS, both naming what is allowed. */
const mountOtherMethods = (app: Hono<ApiEnv>): void => {
  const byPath = Map.groupBy(Object.values(operations) as Operation[], ({ path }) => path)
  for (const [path, rows] of byPath) {
    const methods = rows.map(({ method }) => method)
    const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ')
    app.all(toHonoPath(path), (c) => {
      if (c.req.method === 'OPTIONS') return new Response(null, { status: 204, headers: { allow } })
      throw new HttpError('METHOD_NOT_ALLOWED', `${c.req.method} is not possible here; allowed: ${allow}`, { allow })
    })
  }
}
