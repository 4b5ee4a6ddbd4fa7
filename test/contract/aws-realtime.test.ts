import {
  ApiGatewayManagementApiClient,
  DeleteConnectionCommand,
  GoneException,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi'
import { mockClient } from 'aws-sdk-client-mock'
import { createApiGatewayRealtime } from '#shared/platform/aws/api-gateway-realtime.ts'
import { realtimeContract } from './realtime-contract.ts'

/** The connections of a WebSocket API, as its management API tells of them. */
realtimeContract(
  'API Gateway',
  async () => {
    const mock = mockClient(ApiGatewayManagementApiClient)
    const connections = new Map<string, string[]>()
    const ended = new Set<string>()
    const received = (id = ''): string[] => {
      const texts = connections.get(id)
      if (texts === undefined || ended.has(id))
        throw new GoneException({ message: 'gone', $metadata: { httpStatusCode: 410 } })
      return texts
    }
    mock.on(PostToConnectionCommand).callsFake(({ ConnectionId, Data }) => {
      received(ConnectionId).push(Buffer.from(Data).toString())
      return {}
    })
    mock.on(DeleteConnectionCommand).callsFake(({ ConnectionId }) => {
      received(ConnectionId)
      ended.add(ConnectionId)
      return {}
    })
    const client = new ApiGatewayManagementApiClient({ region: 'us-east-1', endpoint: 'https://sockets.test/live' })
    return {
      realtime: createApiGatewayRealtime({ url: 'wss://sockets.test/live', client }),
      async open() {
        const id = `L0SM9cOFvHc${connections.size}=`
        connections.set(id, [])
        return {
          id,
          received: () => connections.get(id) ?? [],
          hangUp: () => void ended.add(id),
          ended: () => (ended.has(id) ? {} : undefined),
        }
      },
      close: async () => mock.restore(),
    }
  },
  {
    cannot: {
      'tells why it ended a connection': 'API Gateway closes with a code of its own (DeleteConnection takes none)',
    },
  },
)
