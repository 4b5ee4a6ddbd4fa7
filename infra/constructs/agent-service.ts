import { Duration, RemovalPolicy, Size, Stack } from 'aws-cdk-lib'
import type { SecurityGroup, SubnetType } from 'aws-cdk-lib/aws-ec2'
import {
  AwsLogDriverMode,
  Capability,
  type Cluster,
  type ContainerImage,
  CpuArchitecture,
  FargateService,
  FargateTaskDefinition,
  LinuxParameters,
  LogDrivers,
  OperatingSystemFamily,
} from 'aws-cdk-lib/aws-ecs'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import { acknowledge, acknowledgeWildcards } from '../acknowledge.ts'
import type { PlatformFunction } from './platform-function.ts'

export interface AgentServiceProps {
  readonly agent: string
  readonly serviceName: string
  readonly cluster: Cluster
  readonly image: ContainerImage
  readonly cpu: number
  readonly memoryMiB: number
  readonly slots: number
  readonly securityGroup: SecurityGroup
  readonly subnetType: SubnetType
  /** Its alias named after the agent is how the agent proves who it is. */
  readonly gateway: PlatformFunction
  readonly queuePrefix: string
  readonly logDays: RetentionDays
}

const workspace = '/workspace'
const receiveActions = [
  'sqs:ReceiveMessage',
  'sqs:DeleteMessage',
  'sqs:ChangeMessageVisibility',
  'sqs:GetQueueAttributes',
]

/** An agent as a Fargate service: read-only, without privileges, scaled by the platform, from and to zero. */
export class AgentService extends Construct {
  readonly service: FargateService

  constructor(scope: Construct, id: string, props: AgentServiceProps) {
    super(scope, id)
    const definition = this.taskDefinition(props)
    this.service = new FargateService(this, 'Service', {
      serviceName: props.serviceName,
      cluster: props.cluster,
      taskDefinition: definition,
      securityGroups: [props.securityGroup],
      vpcSubnets: { subnetType: props.subnetType },
      assignPublicIp: props.subnetType === 'Public',
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      circuitBreaker: { rollback: true },
      enableExecuteCommand: false,
    })
  }

  private taskDefinition(props: AgentServiceProps): FargateTaskDefinition {
    const { agent, gateway, slots, logDays } = props
    const definition = new FargateTaskDefinition(this, 'Task', {
      family: props.serviceName,
      cpu: props.cpu,
      memoryLimitMiB: props.memoryMiB,
      runtimePlatform: { cpuArchitecture: CpuArchitecture.ARM64, operatingSystemFamily: OperatingSystemFamily.LINUX },
      volumes: [{ name: 'workspace' }],
    })
    const linuxParameters = new LinuxParameters(this, 'Linux', { initProcessEnabled: true })
    linuxParameters.dropCapabilities(Capability.ALL)
    const logGroup = new LogGroup(this, 'Logs', { retention: logDays, removalPolicy: RemovalPolicy.DESTROY })
    const container = definition.addContainer('Agent', {
      image: props.image,
      command: ['--agent', agent],
      environment: {
        DEVCYCLE_AGENT_GATEWAY: `${gateway.functionArn}:${agent}`,
        DEVCYCLE_SLOTS: String(slots),
        DEVCYCLE_WORKSPACES: workspace,
      },
      user: '10001',
      readonlyRootFilesystem: true,
      linuxParameters,
      stopTimeout: Duration.seconds(120),
      logging: LogDrivers.awsLogs({
        streamPrefix: agent,
        logGroup,
        mode: AwsLogDriverMode.NON_BLOCKING,
        maxBufferSize: Size.mebibytes(4),
      }),
      healthCheck: {
        command: ['CMD', 'node', 'agent-container/health-check.ts'],
        interval: Duration.seconds(30),
        timeout: Duration.seconds(5),
        startPeriod: Duration.seconds(30),
      },
    })
    container.addMountPoints({ containerPath: workspace, sourceVolume: 'workspace', readOnly: false })
    acknowledge(definition, 'AwsSolutions-ECS2', 'no secret is among these variables: the role proves who the agent is')
    this.grant(definition, props)
    return definition
  }

  /** Its own queues, its own alias of the gateway, and nothing else: no table, no object, no other agent. */
  private grant(definition: FargateTaskDefinition, { agent, gateway, queuePrefix }: AgentServiceProps): void {
    const queues = Stack.of(this).formatArn({ service: 'sqs', resource: `${queuePrefix}-default-agt_*` })
    definition.addToTaskRolePolicy(new PolicyStatement({ actions: receiveActions, resources: [queues] }))
    definition.addToTaskRolePolicy(
      new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [`${gateway.functionArn}:${agent}`] }),
    )
    acknowledgeWildcards(this, {
      [`arn:<AWS::Partition>:sqs:<AWS::Region>:<AWS::AccountId>:${queuePrefix}-default-agt_*`]:
        "queues of agents' versions are made while the platform runs: by the name's prefix",
      '*': 'the token of the registry has no resource',
    })
  }
}
