import { describe, expect, it } from 'vitest'
import { flat, type Synthesized } from '../synthesize.ts'

export const socketsSuite = (dev: Synthesized) =>
  describe('the WebSocket API', () => {
    const routes = dev.resources('AWS::ApiGatewayV2::Route')
    const [stage] = dev.resources('AWS::ApiGatewayV2::Stage')

    it('hands connections, what they send, and their ends to one function', () => {
      expect(routes.map(({ properties }) => properties.RouteKey).sort()).toEqual([
        '$connect',
        '$default',
        '$disconnect',
      ])
      const [integration, ...more] = dev.resources('AWS::ApiGatewayV2::Integration')
      expect(more).toEqual([])
      expect(flat(integration?.properties.IntegrationUri)).toMatch(/Websocket[0-9A-F]{8}/)
    })

    it('throttles, and logs each event with no header and no address that may carry a ticket', () => {
      expect(stage?.properties).toMatchObject({
        StageName: 'live',
        AutoDeploy: true,
        DefaultRouteSettings: { ThrottlingRateLimit: 50, ThrottlingBurstLimit: 100 },
      })
      expect(stage?.properties.AccessLogSettings.Format).toContain('$context.connectionId')
      expect(stage?.properties.AccessLogSettings.Format).not.toMatch(/header|querystring|path|authorizer/i)
    })

    it('logs only once API Gateway may, as the HTTP API does', () => {
      const [account, ...more] = dev.resources('AWS::ApiGateway::Account')
      expect(more).toEqual([])
      expect(stage?.whole.DependsOn).toContain(account?.id)
      expect(dev.resources('AWS::ApiGateway::Stage')[0]?.whole.DependsOn).toContain(account?.id)
    })

    it('is where every function tells clients to connect', () => {
      const functions = dev
        .resources('AWS::Lambda::Function')
        .filter(({ properties }) => properties.Environment?.Variables?.MAIN_TABLE !== undefined)
      expect(functions.length).toBeGreaterThan(5)
      for (const { properties } of functions)
        expect(flat(properties.Environment.Variables.WEBSOCKET_URL)).toMatch(/SocketsApi.*ApiEndpoint.*\/live/)
      expect(flat(dev.templates.Api.Outputs.SocketUrl.Value)).toMatch(/\/live$/)
    })
  })
