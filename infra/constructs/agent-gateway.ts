import type { FargateTaskDefinition } from 'aws-cdk-lib/aws-ecs'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { PlatformFunction } from './platform-function.ts'

/** What agents of this account call, each by an alias of its own name: IAM is how it knows who calls. */
export class AgentGateway extends PlatformFunction {
  /** Tells the tasks of an agent where to call, and lets them call as that agent and as nobody else. */
  connect(agent: string, definition: FargateTaskDefinition): void {
    this.addAlias(agent, { description: `Calls of agent ${agent}` })
    const address = `${this.functionArn}:${agent}`
    definition.addToTaskRolePolicy(new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [address] }))
    definition.defaultContainer?.addEnvironment('DEVCYCLE_AGENT_GATEWAY', address)
  }
}
