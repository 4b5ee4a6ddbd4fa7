import type { Hono } from 'hono'
import type { ApiEnv } from '#functions/api/operation.ts'

/** The HTTP request of the worker protocol as an agent invokes it: the shape of an API Gateway event, version 2.0. */
export type InvokeRequest = {
  rawPath: string
  rawQueryString?: string
  headers?: Record<string, string>
  requestContext: { http: { method: string } }
  body?: string
}
export type InvokeAnswer = { statusCode: number; headers: Record<string, string>; body: string }

/** Whose agents the gateway's callers are. */
export const tenant = 'default'

/**
 * The agent that an alias stands for. IAM lets an agent's role invoke the alias of its own name alone, so the alias
 * tells who invokes: no secret has to be kept for it. `undefined` without an alias.
 */
export const agentOfArn = (arn: string): string | undefined => {
  const alias = arn.split(':')[7]
  return alias === undefined || alias === '' || alias === '$LATEST' ? undefined : alias
}

/** Answers one request of the worker protocol. */
export const answerInvoke = async (
  app: Hono<ApiEnv>,
  request: InvokeRequest,
  agent: string | undefined,
): Promise<InvokeAnswer> => {
  const { rawPath, rawQueryString, headers, requestContext, body } = request
  const { method } = requestContext.http
  const url = `https://agent-gateway${rawPath}${rawQueryString ? `?${rawQueryString}` : ''}`
  const hasBody = method !== 'GET' && method !== 'HEAD' && body !== undefined
  const response = await app.fetch(
    new Request(url, { method, headers, ...(hasBody && { body }) }),
    agent === undefined ? {} : { agentHost: { agent, tenant } },
  )
  return toInvokeAnswer(response)
}

/** A response in the shape that an invoke answers. */
export const toInvokeAnswer = async (response: Response): Promise<InvokeAnswer> => ({
  statusCode: response.status,
  headers: Object.fromEntries(response.headers),
  body: await response.text(),
})
