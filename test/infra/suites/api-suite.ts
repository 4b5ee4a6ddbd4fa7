import { describe, expect, it } from 'vitest'
import { changed, domain, flat, type Json, type Synthesized } from '../synthesize.ts'

const onlyTls13 = { SecurityPolicy: 'SecurityPolicy_TLS13_1_3_2025_09', EndpointAccessMode: 'STRICT' }

export const apiSuite = (dev: Synthesized) =>
  describe('the public API', () => {
    const [api] = dev.resources('AWS::ApiGateway::RestApi')
    const [stage] = dev.resources('AWS::ApiGateway::Stage')

    it('speaks TLS 1.3 and nothing before it', () => {
      expect(api?.properties).toMatchObject({ ...onlyTls13, EndpointConfiguration: { Types: ['REGIONAL'] } })
    })

    it('speaks it under a domain too, and then under no other name', () => {
      const app = changed()
      expect(app.resources('AWS::ApiGateway::DomainName')[0]?.properties).toMatchObject({
        ...onlyTls13,
        DomainName: domain.name,
        RegionalCertificateArn: domain.certificateArn,
      })
      expect(app.resources('AWS::ApiGateway::RestApi')[0]?.properties).toMatchObject({
        ...onlyTls13,
        DisableExecuteApiEndpoint: true,
      })
      expect(app.templates.Api.Outputs.ApiUrl.Value).toBe('https://api.example.com/')
    })

    it('hands every request to the one function', () => {
      const methods = dev.resources('AWS::ApiGateway::Method')
      expect(methods.map(({ properties }) => properties.HttpMethod)).toEqual(['ANY', 'ANY'])
      for (const { properties } of methods) {
        expect(properties.Integration.Type).toBe('AWS_PROXY')
        expect(flat(properties.Integration.Uri)).toContain('ApiF70053CD')
      }
    })

    it('throttles, and logs each request with its TLS version and no header', () => {
      expect(stage?.properties).toMatchObject({
        TracingEnabled: true,
        MethodSettings: [{ ThrottlingRateLimit: 50, ThrottlingBurstLimit: 100, DataTraceEnabled: false }],
      })
      const format = JSON.parse(stage?.properties.AccessLogSetting.Format)
      expect(format).toMatchObject({ status: '$context.status', tls: '$context.tlsVersion' })
      expect(JSON.stringify(format)).not.toMatch(/header|authorizer/i)
    })

    it('keeps what API Gateway logs of failures as long as every other log', () => {
      const logs = dev
        .resources('AWS::Logs::LogGroup')
        .find(({ properties }) => flat(properties.LogGroupName ?? '').startsWith('API-Gateway-Execution-Logs_'))
      expect(flat(logs?.properties.LogGroupName)).toBe(`API-Gateway-Execution-Logs_${api?.id}/live`)
      expect(logs?.properties.RetentionInDays).toBe(7)
      expect(stage?.whole.DependsOn).toContain(logs?.id)
    })

    it('refuses by itself as the app refuses', () => {
      const responses = dev.resources('AWS::ApiGateway::GatewayResponse')
      expect(responses.map(({ properties }) => properties.ResponseType).sort()).toEqual([
        'DEFAULT_4XX',
        'DEFAULT_5XX',
        'INTEGRATION_TIMEOUT',
        'REQUEST_TOO_LARGE',
        'THROTTLED',
      ])
      for (const { properties } of responses) {
        const problem: Json = JSON.parse(properties.ResponseTemplates['application/json'])
        expect(problem).toMatchObject({
          status: Number(properties.StatusCode),
          type: `urn:devcycle:problem:${problem.code.toLowerCase().replaceAll('_', '-')}`,
          requestId: '$context.requestId',
        })
        expect(properties.ResponseParameters['gatewayresponse.header.Content-Type']).toBe("'application/problem+json'")
      }
    })
  })
