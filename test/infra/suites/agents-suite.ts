import { describe, expect, it } from 'vitest'
import { loadAgent } from '#agent/runner/load-agent.ts'
import { readSettings } from '#agent/runner/settings.ts'
import { resourcesOf } from '#agent/sdk/resources.ts'
import { builtInAgents } from '#infra/config.ts'
import { changed, flat, type Json, type Synthesized, synthesize } from '../synthesize.ts'

const ecrImage = `123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/agents@sha256:${'a'.repeat(64)}`
/** The runner itself and the health check beside its slots. */
const runnerMiB = 256
/** MiB from and to, in steps of 1024, by CPU units. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html */
const offered: Record<number, { from: number; to: number }> = {
  512: { from: 1024, to: 4096 },
  1024: { from: 2048, to: 8192 },
  2048: { from: 4096, to: 16_384 },
}
const containersOf = (app: Synthesized): Json[] =>
  app.resources('AWS::ECS::TaskDefinition').map(({ properties }) => properties.ContainerDefinitions[0])

export const agentsSuite = (dev: Synthesized) =>
  describe('agents', () => {
    const definitions = dev.resources('AWS::ECS::TaskDefinition')
    const services = dev.resources('AWS::ECS::Service')

    it('are a service each, whose count the platform sets and no deploy changes', () => {
      expect(services.map(({ properties }) => properties.ServiceName)).toEqual(
        builtInAgents.map(({ agent }) => `devcycle-dev-${agent}`),
      )
      for (const { properties } of services) {
        expect(properties).not.toHaveProperty('DesiredCount')
        expect(properties).toMatchObject({
          LaunchType: 'FARGATE',
          EnableExecuteCommand: false,
          PropagateTags: 'SERVICE',
          DeploymentConfiguration: { DeploymentCircuitBreaker: { Enable: true, Rollback: true } },
        })
      }
    })

    it('run on arm64, read-only, as nobody, without a capability', () => {
      for (const { properties } of definitions) {
        expect(properties.RuntimePlatform).toEqual({ CpuArchitecture: 'ARM64', OperatingSystemFamily: 'LINUX' })
        expect(properties.ContainerDefinitions).toHaveLength(1)
        expect(properties.ContainerDefinitions[0]).toMatchObject({
          ReadonlyRootFilesystem: true,
          User: '10001',
          StopTimeout: 120,
          LinuxParameters: { Capabilities: { Drop: ['ALL'] }, InitProcessEnabled: true },
          MountPoints: [{ ContainerPath: '/workspace', ReadOnly: false }],
        })
        expect(properties.ContainerDefinitions[0]).not.toHaveProperty('Privileged')
        expect(properties.ContainerDefinitions[0]).not.toHaveProperty('Secrets')
      }
    })

    it.each(builtInAgents)('are told what their runner asks for: $agent', ({ agent, slots }) => {
      const container = containersOf(dev).find(({ Command }) => Command.includes(agent))
      const environment = Object.fromEntries(container.Environment.map(({ Name, Value }: Json) => [Name, flat(Value)]))
      expect(readSettings(container.Command, environment)).toMatchObject({
        agent,
        slots,
        workspaces: '/workspace',
        gateway: expect.stringMatching(new RegExp(`AgentGateway.*:${agent}$`)),
      })
      expect(environment.TMPDIR).toBe('/workspace')
    })

    it.each(builtInAgents)('have the memory that all slots may take at once: $agent', async (row) => {
      const { memoryMb } = resourcesOf(await loadAgent(row.agent))
      expect(row.slots * memoryMb + runnerMiB).toBeLessThanOrEqual(row.memoryMiB)
    })

    it.each(builtInAgents)('are of a size that Fargate offers: $agent', ({ cpu, memoryMiB }) => {
      const { from, to } = offered[cpu] ?? { from: 0, to: 0 }
      expect([memoryMiB % 1024, memoryMiB >= from, memoryMiB <= to]).toEqual([0, true, true])
    })

    it('are stopped later than they drain', () => {
      const { drainSeconds } = readSettings(['--agent', 'x'], { DEVCYCLE_AGENT_GATEWAY: 'x' })
      for (const { StopTimeout } of containersOf(dev)) expect(StopTimeout).toBeGreaterThan(drainSeconds)
    })

    it('are of one image, built from what the Dockerfile copies', () => {
      const images = new Set(containersOf(dev).map(({ Image }) => JSON.stringify(Image)))
      expect(images.size).toBe(1)
      expect([...images][0]).toContain('container-assets')
    })

    it('are of any image that is named', () => {
      expect(containersOf(changed()).map(({ Image }) => Image)).toEqual(Array(3).fill('registry.example.com/agents:1'))
    })

    it('may pull a named image from a registry of ECR', () => {
      const app = synthesize({ agentImage: ecrImage })
      expect(flat(containersOf(app)[0].Image)).toContain(`team/agents@sha256:${'a'.repeat(64)}`)
      const pulls = app
        .resources('AWS::IAM::Policy')
        .flatMap(({ properties }) => properties.PolicyDocument.Statement)
        .filter(({ Action }) => Action.includes('ecr:BatchGetImage'))
      expect(pulls.map(({ Resource }) => Resource)).toEqual(
        Array(3).fill('arn:aws:ecr:eu-west-1:123456789012:repository/team/agents'),
      )
    })

    it('are measured closely only where a stage asks for it, since that costs at rest', () => {
      const insights = (app: Synthesized) => app.resources('AWS::ECS::Cluster')[0]?.properties.ClusterSettings
      expect(insights(dev)).toEqual([{ Name: 'containerInsights', Value: 'disabled' }])
      expect(insights(synthesize({ stage: 'prod' }))).toEqual([{ Name: 'containerInsights', Value: 'enabled' }])
    })
  })
