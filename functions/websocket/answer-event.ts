import { describeError } from '#functions/api/errors.ts'
import { leave } from '#shared/domain/realtime/tell.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { acceptConnection } from './accept.ts'
import { answerFrame } from './frames.ts'

/** What API Gateway tells of a connection. https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html */
export type SocketEvent = {
  requestContext: { eventType: 'CONNECT' | 'MESSAGE' | 'DISCONNECT'; connectionId: string }
  headers?: Record<string, string>
  queryStringParameters?: Record<string, string>
  body?: string
}
export type SocketAnswer = { statusCode: number }

type Step = (platform: Platform, id: string, event: SocketEvent) => Promise<SocketAnswer>

const headerOf = ({ headers = {} }: SocketEvent, name: string): string | undefined =>
  Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1]

/** The connection is open for the client when this has answered 200. */
const connect: Step = async (platform, id, event) => {
  try {
    const authorization = headerOf(event, 'authorization')
    await acceptConnection(platform, id, { authorization, ticket: event.queryStringParameters?.ticket })
    return { statusCode: 200 }
  } catch (error) {
    const { status } = describeError(error)
    if (status >= 500) platform.telemetry.log('error', 'a connection was not taken', { error: String(error) })
    return { statusCode: status }
  }
}

const steps: Record<SocketEvent['requestContext']['eventType'], Step> = {
  CONNECT: connect,
  async MESSAGE(platform, id, { body = '' }) {
    await answerFrame(platform, id, body)
    return { statusCode: 200 }
  },
  async DISCONNECT(platform, id) {
    await leave(platform, id)
    return { statusCode: 200 }
  },
}

/** Does what an event of the WebSocket API asks for. */
export const answerEvent = (platform: Platform, event: SocketEvent): Promise<SocketAnswer> => {
  const { eventType, connectionId } = event.requestContext
  return steps[eventType](platform, connectionId, event)
}
