import { fileURLToPath } from 'node:url'
import { Stack, type StackProps } from 'aws-cdk-lib'
import { Platform } from 'aws-cdk-lib/aws-ecr-assets'
import { Cluster, ContainerImage, ContainerInsights } from 'aws-cdk-lib/aws-ecs'
import type { Construct } from 'constructs'
import { builtInAgents, type StageConfig } from '../config.ts'
import { AgentService } from '../constructs/agent-service.ts'
import type { PlatformFunction } from '../constructs/platform-function.ts'
import { clusterName, serviceName } from '../names.ts'
import type { NetworkStack } from './network-stack.ts'

export interface AgentsStackProps extends StackProps {
  readonly prefix: string
  readonly config: StageConfig
  readonly network: NetworkStack
  readonly gateway: PlatformFunction
}

const root = fileURLToPath(new URL('../../', import.meta.url))
/** What the image does not hold. */
const notInImage = [
  '.git',
  '.devcycle',
  '.emulators',
  'node_modules',
  'cdk.out',
  'coverage',
  'test',
  'docs',
  'bench',
  'infra',
]

/** The built-in agents, all of one image. */
export class AgentsStack extends Stack {
  constructor(scope: Construct, id: string, { prefix, config, network, gateway, ...props }: AgentsStackProps) {
    super(scope, id, props)
    const cluster = new Cluster(this, 'Cluster', {
      clusterName: clusterName(prefix),
      vpc: network.vpc,
      containerInsightsV2: ContainerInsights.ENABLED,
      enableFargateCapacityProviders: true,
    })
    const image = this.image()
    for (const { agent, ...size } of builtInAgents)
      new AgentService(this, agent, {
        ...size,
        agent,
        serviceName: serviceName(prefix, agent),
        cluster,
        image,
        gateway,
        securityGroup: network.agents,
        subnetType: network.subnetType,
        queuePrefix: prefix,
        logDays: config.logDays,
      })
  }

  /** `-c agentImage=URI` names an existing image; else it is built from the Dockerfile when the stack is deployed. */
  private image(): ContainerImage {
    const uri: unknown = this.node.tryGetContext('agentImage')
    if (typeof uri === 'string' && uri !== '') return ContainerImage.fromRegistry(uri)
    return ContainerImage.fromAsset(root, {
      file: 'agent-container/Dockerfile',
      platform: Platform.LINUX_ARM64,
      exclude: notInImage,
    })
  }
}
