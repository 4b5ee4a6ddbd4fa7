import {
  type ApiGatewayManagementApiClient,
  DeleteConnectionCommand,
  GoneException,
  PayloadTooLargeException,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi'
import type { Realtime } from '../platform.ts'
import { PlatformError } from '../platform-error.ts'
import { translated } from './aws-error.ts'

type Options = { url: string; client: ApiGatewayManagementApiClient }

/** Where text for the connections of a WebSocket API is posted: the address and stage that they were opened at. */
export const callbackUrl = (url: string): string => url.replace(/^ws/, 'http')

/** A connection that is gone is `GONE`, whatever else fails is thrown. */
const unlessGone = async (call: () => Promise<unknown>): Promise<'SENT' | 'GONE'> => {
  try {
    await call()
    return 'SENT'
  } catch (error) {
    if (error instanceof GoneException) return 'GONE'
    if (error instanceof PayloadTooLargeException)
      throw new PlatformError('TOO_LARGE', 'a connection takes 128 KB at once', { cause: error })
    throw error
  }
}

/** Connections that API Gateway holds. It tells a client that is closed no code of ours. */
export const createApiGatewayRealtime = ({ url, client }: Options): Realtime => ({
  url: () => url,
  push: (ConnectionId, text) =>
    translated('a push', () =>
      unlessGone(() => client.send(new PostToConnectionCommand({ ConnectionId, Data: Buffer.from(text) }))),
    ),
  async close(ConnectionId) {
    await translated('the end of a connection', () =>
      unlessGone(() => client.send(new DeleteConnectionCommand({ ConnectionId }))),
    )
  },
})
