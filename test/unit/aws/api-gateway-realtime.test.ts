import {
  ApiGatewayManagementApiClient,
  DeleteConnectionCommand,
  ForbiddenException,
  GoneException,
  LimitExceededException,
  PayloadTooLargeException,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi'
import { mockClient } from 'aws-sdk-client-mock'
import { afterEach, describe, expect, it } from 'vitest'
import { callbackUrl, createApiGatewayRealtime } from '#shared/platform/aws/api-gateway-realtime.ts'
import { sdkError } from './errors.ts'

const gateway = mockClient(ApiGatewayManagementApiClient)
afterEach(() => gateway.reset())
const client = new ApiGatewayManagementApiClient({ region: 'us-east-1', endpoint: 'https://sockets.test/live' })
const realtime = createApiGatewayRealtime({ url: 'wss://sockets.test/live', client })
const told = { message: 'no', $metadata: { httpStatusCode: 400 } }
const why = { code: 1013, reason: 'x' }

describe('connections of API Gateway', () => {
  it('are posted to at the stage that they were opened at', () => {
    expect(callbackUrl('wss://a1.execute-api.eu-central-1.amazonaws.com/live')).toBe(
      'https://a1.execute-api.eu-central-1.amazonaws.com/live',
    )
  })

  it('are posted to with what they are told, and ended', async () => {
    gateway.onAnyCommand().resolves({})
    expect(await realtime.push('a=', 'größer')).toBe('SENT')
    await realtime.close('a=', why)
    const [post] = gateway.commandCalls(PostToConnectionCommand)
    expect(post?.args[0].input).toEqual({ ConnectionId: 'a=', Data: Buffer.from('größer') })
    expect(gateway.commandCalls(DeleteConnectionCommand)[0]?.args[0].input).toEqual({ ConnectionId: 'a=' })
  })

  it('are gone for whoever is told so', async () => {
    gateway.onAnyCommand().rejects(new GoneException(told))
    expect(await realtime.push('a=', 'x')).toBe('GONE')
    await expect(realtime.close('a=', why)).resolves.toBeUndefined()
  })

  it.each([
    ['throttling', new LimitExceededException({ ...told, $metadata: { httpStatusCode: 429 } }), 'THROTTLED'],
    ['a time-out', sdkError('TimeoutError'), 'UNAVAILABLE'],
    ['a server error', sdkError('InternalServerError', { status: 503 }), 'UNAVAILABLE'],
    ['a text that is too large', new PayloadTooLargeException(told), 'TOO_LARGE'],
  ])('are not taken for told after %s', async (_, error, code) => {
    gateway.onAnyCommand().rejects(error)
    await expect(realtime.push('a=', 'x')).rejects.toMatchObject({ code })
  })

  it('hide no missing permission', async () => {
    gateway.onAnyCommand().rejects(new ForbiddenException(told))
    await expect(realtime.push('a=', 'x')).rejects.toThrow('no')
    await expect(realtime.close('a=', why)).rejects.toThrow('no')
  })
})
