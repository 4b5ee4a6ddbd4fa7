import type { Stack } from 'aws-cdk-lib'
import { Queue } from 'aws-cdk-lib/aws-sqs'
import { describe, expect, it } from 'vitest'
import { anApp, changed, type Synthesized, synthesize } from '../synthesize.ts'

/** Types that have no tags, or whose tags nobody would look for. */
const untagged = [
  'AWS::ApiGateway::Account',
  'AWS::ApiGateway::Deployment',
  'AWS::ApiGateway::GatewayResponse',
  'AWS::ApiGateway::Method',
  'AWS::ApiGateway::Resource',
  'AWS::ApiGatewayV2::Integration',
  'AWS::ApiGatewayV2::Route',
  'AWS::CDK::Metadata',
  'AWS::CloudWatch::Dashboard',
  'AWS::EC2::Route',
  'AWS::EC2::SubnetRouteTableAssociation',
  'AWS::EC2::VPCGatewayAttachment',
  'AWS::Events::Archive',
  'AWS::IAM::Policy',
  'AWS::Lambda::Alias',
  'AWS::Lambda::EventInvokeConfig',
  'AWS::Lambda::Permission',
  'AWS::Lambda::Version',
  'AWS::S3::BucketPolicy',
  'AWS::SNS::TopicPolicy',
  'AWS::SQS::QueuePolicy',
  'AWS::StepFunctions::StateMachineAlias',
  'AWS::StepFunctions::StateMachineVersion',
  'Custom::DevCycleWorkflow',
]

export const appSuite = (dev: Synthesized) =>
  describe('the app', () => {
    it('is six stacks a stage, in the order in which they need each other', () => {
      expect(dev.stacks.map(({ stackName }) => stackName)).toEqual([
        'DevCycle-dev-Data',
        'DevCycle-dev-Network',
        'DevCycle-dev-Api',
        'DevCycle-dev-Agents',
        'DevCycle-dev-Observability',
        'DevCycle-dev-Workflows',
      ])
      expect(synthesize({ stage: 'prod' }).stacks[0]?.stackName).toBe('DevCycle-prod-Data')
    })

    it('says which stages there are', () => {
      expect(() => anApp({ stage: 'production' })).toThrow(
        'there is no stage production; -c stage takes dev, staging, prod',
      )
    })

    it('tells what a client needs', () => {
      expect(Object.keys(dev.templates.Api.Outputs)).toEqual(
        expect.arrayContaining(['ApiUrl', 'AgentGatewayFunction', 'BootstrapFunction']),
      )
      expect(Object.keys(dev.templates.Data.Outputs)).toEqual(
        expect.arrayContaining(['MainTable', 'EventBusName', 'ObjectsBucket']),
      )
    })

    it('tags everything that can be tagged', () => {
      const tags = (properties: Record<string, unknown>): string =>
        JSON.stringify(properties.Tags ?? properties.Replicas ?? '')
      const without = dev
        .resources()
        .filter(({ type }) => !untagged.includes(type))
        .filter(({ properties }) => !/application.*devcycle.*stage.*dev/.test(tags(properties)))
      expect(without.map(({ type, id }) => `${type} ${id}`)).toEqual([])
    })

    it('keeps the generation with the functions, where a deploy can change it', () => {
      expect(dev.templates.Api.Parameters.Generation).toMatchObject({ Type: 'Number', Default: 1, MinValue: 1 })
      const functions = dev.resources('AWS::Lambda::Function')
      for (const { properties } of functions)
        expect(properties.Environment.Variables.GENERATION).toEqual({ Ref: 'Generation' })
    })

    it('is not made when a rule of cdk-nag is broken', () => {
      const app = anApp()
      new Queue(app.node.findChild('Data') as Stack, 'Plain')
      expect(() => app.synth()).toThrow('AwsSolutions-SQS3')
    })

    it.each([
      ['staging', () => synthesize({ stage: 'staging' })],
      ['prod', () => synthesize({ stage: 'prod' })],
      ['a private network', () => synthesize({}, { network: 'private' })],
      ['a domain, an image of its own, and an address for alarms', changed],
    ])('breaks none with %s', (_, app) => {
      expect(app().stacks).toHaveLength(6)
    })
  })
