import { Duration, RemovalPolicy, Size, Stack } from 'aws-cdk-lib'
import { type ISecurityGroup, SubnetType } from 'aws-cdk-lib/aws-ec2'
import {
  AwsLogDriverMode,
  Capability,
  type ContainerDefinitionOptions,
  type ContainerImage,
  CpuArchitecture,
  FargateService,
  FargateTaskDefinition,
  type ICluster,
  LinuxParameters,
  LogDrivers,
  OperatingSystemFamily,
  PropagatedTagSource,
} from 'aws-cdk-lib/aws-ecs'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import { acknowledge, acknowledgeWildcards } from '../acknowledge.ts'
import { agentQueuesNamed } from '../names.ts'
import type { AgentGateway } from './agent-gateway.ts'

export interface AgentServiceProps {
  readonly agent: string
  readonly serviceName: string
  readonly cluster: ICluster
  /** For arm64; its entry point is the runner. */
  readonly image: ContainerImage
  /** With `memoryMiB` a pair that Fargate offers; 1024 is one CPU. */
  readonly cpu: number
  readonly memoryMiB: number
  /** Tasks that one instance runs at once. */
  readonly slots: number
  readonly securityGroup: ISecurityGroup
  readonly subnetType: SubnetType
  /** Its alias named after the agent is how the agent proves who it is. */
  readonly gateway: AgentGateway
  /** Of the names of the queues that it may receive from. */
  readonly prefix: string
  readonly logDays: RetentionDays
  /** Variables of the container beside its own, which win. @default none */
  readonly environment?: Record<string, string>
}

const receiveActions = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility']
/** The only place where a container may write; the image makes it the property of its user. */
const workspace = '/workspace'

const healthCheck = {
  command: ['CMD', 'node', 'agent-container/health-check.ts'],
  interval: Duration.seconds(30),
  timeout: Duration.seconds(5),
  startPeriod: Duration.seconds(30),
}

/**
 * An agent as a Fargate service: read-only, without privileges. It has no count of its own: the first deploy starts
 * one, the platform scales it from then on, from and to zero, and no later deploy changes what it decided.
 */
export class AgentService extends Construct {
  readonly service: FargateService

  constructor(scope: Construct, id: string, props: AgentServiceProps) {
    super(scope, id)
    const { agent, gateway, cluster, serviceName, securityGroup, subnetType } = props
    const definition = this.taskDefinition(props)
    gateway.connect(agent, definition)
    this.receiveTasks(definition, props)
    this.service = new FargateService(this, 'Service', {
      serviceName,
      cluster,
      taskDefinition: definition,
      securityGroups: [securityGroup],
      vpcSubnets: { subnetType },
      assignPublicIp: subnetType === SubnetType.PUBLIC,
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      circuitBreaker: { rollback: true },
      enableExecuteCommand: false,
      propagateTags: PropagatedTagSource.SERVICE,
    })
  }

  private taskDefinition(props: AgentServiceProps): FargateTaskDefinition {
    const definition = new FargateTaskDefinition(this, 'Task', {
      family: props.serviceName,
      cpu: props.cpu,
      memoryLimitMiB: props.memoryMiB,
      runtimePlatform: { cpuArchitecture: CpuArchitecture.ARM64, operatingSystemFamily: OperatingSystemFamily.LINUX },
      volumes: [{ name: 'workspace' }],
    })
    const container = definition.addContainer('Agent', this.container(props))
    container.addMountPoints({ containerPath: workspace, sourceVolume: 'workspace', readOnly: false })
    acknowledge(definition, 'AwsSolutions-ECS2', 'no secret is among these variables: the role proves who the agent is')
    acknowledgeWildcards(definition, { '*': 'the token of the registry has no resource' })
    return definition
  }

  private container({ agent, image, slots, environment, logDays }: AgentServiceProps): ContainerDefinitionOptions {
    const linuxParameters = new LinuxParameters(this, 'Linux', { initProcessEnabled: true })
    linuxParameters.dropCapabilities(Capability.ALL)
    const logGroup = new LogGroup(this, 'Logs', { retention: logDays, removalPolicy: RemovalPolicy.DESTROY })
    return {
      image,
      command: ['--agent', agent],
      environment: {
        ...environment,
        DEVCYCLE_SLOTS: String(slots),
        DEVCYCLE_WORKSPACES: workspace,
        TMPDIR: workspace,
      },
      user: '10001',
      readonlyRootFilesystem: true,
      linuxParameters,
      stopTimeout: Duration.seconds(120),
      healthCheck,
      logging: LogDrivers.awsLogs({
        streamPrefix: agent,
        logGroup,
        mode: AwsLogDriverMode.NON_BLOCKING,
        maxBufferSize: Size.mebibytes(4),
      }),
    }
  }

  /** From the queues of agents: those of a version are made when it is registered, and named by then. */
  private receiveTasks(definition: FargateTaskDefinition, { prefix }: AgentServiceProps): void {
    const resource = agentQueuesNamed(prefix)
    const queues = Stack.of(this).formatArn({ service: 'sqs', resource })
    definition.addToTaskRolePolicy(new PolicyStatement({ actions: receiveActions, resources: [queues] }))
    acknowledgeWildcards(definition, {
      [`arn:<AWS::Partition>:sqs:<AWS::Region>:<AWS::AccountId>:${resource}`]:
        "queues of agents' versions are made while the platform runs, under its own prefix",
    })
  }
}
