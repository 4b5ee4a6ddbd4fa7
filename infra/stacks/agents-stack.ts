import { Stack } from 'aws-cdk-lib'
import { Cluster, ContainerInsights } from 'aws-cdk-lib/aws-ecs'
import type { Construct } from 'constructs'
import { acknowledge } from '../acknowledge.ts'
import { builtInAgents, type StageProps } from '../config.ts'
import type { AgentGateway } from '../constructs/agent-gateway.ts'
import { agentImage } from '../constructs/agent-image.ts'
import { AgentService } from '../constructs/agent-service.ts'
import { clusterName, serviceName } from '../names.ts'
import type { NetworkStack } from './network-stack.ts'

export interface AgentsStackProps extends StageProps {
  readonly network: NetworkStack
  readonly gateway: AgentGateway
}

/** The built-in agents, all of one image. */
export class AgentsStack extends Stack {
  constructor(scope: Construct, id: string, props: AgentsStackProps) {
    super(scope, id, props)
    const { prefix, config, network, gateway } = props
    const cluster = new Cluster(this, 'Cluster', {
      clusterName: clusterName(prefix),
      vpc: network.vpc,
      containerInsightsV2: config.containerInsights ? ContainerInsights.ENABLED : ContainerInsights.DISABLED,
    })
    acknowledge(cluster, 'AwsSolutions-ECS4', 'its metrics cost more at rest than everything else; a stage may ask')
    const image = agentImage(this)
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
        prefix,
        logDays: config.logDays,
      })
  }
}
