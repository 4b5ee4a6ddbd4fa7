import { describe, expect, it } from 'vitest'
import { type Synthesized, synthesize } from '../synthesize.ts'

const https = { IpProtocol: 'tcp', FromPort: 443, ToPort: 443 }

export const networkSuite = (dev: Synthesized) =>
  describe('the network', () => {
    const secluded = synthesize({}, { network: 'private' })

    it('lets nobody in, and agents out by HTTPS alone', () => {
      const groups = dev.resources('AWS::EC2::SecurityGroup')
      expect(groups).toHaveLength(1)
      expect(groups[0]?.properties).not.toHaveProperty('SecurityGroupIngress')
      expect(groups[0]?.properties.SecurityGroupEgress).toEqual([
        expect.objectContaining({ ...https, CidrIp: '0.0.0.0/0' }),
      ])
      expect(dev.resources('AWS::EC2::SecurityGroupIngress')).toEqual([])
    })

    it.each([
      ['public', dev],
      ['private', secluded],
    ])('has nothing that costs while nobody uses it, but endpoints where they are asked for: %s', (network, app) => {
      for (const type of ['NatGateway', 'EIP', 'TransitGatewayAttachment'])
        expect(app.resources(`AWS::EC2::${type}`)).toEqual([])
      expect(app.resources('AWS::EC2::VPCEndpoint').length > 0).toBe(network === 'private')
    })

    it('has no way out when it is private, but to what agents call', () => {
      expect(secluded.resources('AWS::EC2::InternetGateway')).toEqual([])
      expect(secluded.resources('AWS::EC2::Route')).toEqual([])
      const names = secluded
        .resources('AWS::EC2::VPCEndpoint')
        .map(
          ({ properties }) =>
            /(sqs|lambda|logs|ecr\.api|ecr\.dkr|s3)/.exec(JSON.stringify(properties.ServiceName))?.[0],
        )
      expect(names.sort()).toEqual(['ecr.api', 'ecr.dkr', 'lambda', 'logs', 's3', 'sqs'])
      const ingress = secluded.resources('AWS::EC2::SecurityGroupIngress')
      expect(ingress).toHaveLength(1)
      expect(ingress[0]?.properties).toMatchObject(https)
      expect(JSON.stringify(ingress[0]?.properties.SourceSecurityGroupId)).toContain('AgentSecurityGroup')
      for (const { properties } of secluded.resources('AWS::ECS::Service'))
        expect(properties.NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp).toBe('DISABLED')
    })

    it('keeps a record of what flows', () => {
      expect(dev.resources('AWS::EC2::FlowLog')[0]?.properties).toMatchObject({
        TrafficType: 'ALL',
        ResourceType: 'VPC',
      })
    })

    it('asks nobody for availability zones', () => {
      const zones = dev.resources('AWS::EC2::Subnet').map(({ properties }) => properties.AvailabilityZone)
      expect(zones).toEqual([0, 1].map((at) => ({ 'Fn::Select': [at, { 'Fn::GetAZs': '' }] })))
    })
  })
