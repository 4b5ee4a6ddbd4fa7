import { ArnFormat, CfnOutput, CfnParameter, Duration, Stack } from 'aws-cdk-lib'
import { EventBus, Match, Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets'
import { FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda'
import { DynamoEventSource, SqsDlq, SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import type { Construct } from 'constructs'
import type { SettingsEnvironment } from '#shared/platform/aws/settings.ts'
import { acknowledgeWildcards } from '../acknowledge.ts'
import { builtInAgents, type StageProps } from '../config.ts'
import { AgentGateway } from '../constructs/agent-gateway.ts'
import { PlatformFunction, type PlatformFunctionProps } from '../constructs/platform-function.ts'
import { PublicApi } from '../constructs/public-api.ts'
import { SocketApi } from '../constructs/socket-api.ts'
import { clusterName, serviceName } from '../names.ts'
import type { DataStack } from './data-stack.ts'

export interface ApiStackProps extends StageProps {
  readonly data: DataStack
}

/** Types of items that the projector has something to do for; what it writes itself does not wake it again. */
export const projectedTypes = [
  'task',
  'agent',
  'offer',
  'approval',
  'batch',
  'run',
  'limits',
  'letter',
  'message',
  'publication',
  'match',
  'schedule',
  'instance',
  'api-key',
]

/** The edges: HTTP, agents' calls, the projector, the sweep, the intake, the first key. */
export class ApiStack extends Stack {
  readonly publicApi: PublicApi
  readonly socketApi: SocketApi
  readonly api: PlatformFunction
  readonly gateway: AgentGateway
  readonly stream: PlatformFunction
  readonly sweep: PlatformFunction
  readonly deliver: PlatformFunction
  readonly workflowSteps: PlatformFunction
  /** Makes the state machines of workflows that are posted; nothing else may. */
  readonly deployer: PlatformFunction
  /** Stores workflows that come with a deploy. */
  readonly register: PlatformFunction
  private readonly settings: ApiStackProps
  private readonly undelivered: IQueue
  private readonly generation: CfnParameter

  constructor(scope: Construct, id: string, props: ApiStackProps) {
    super(scope, id, props)
    const { prefix, config } = props
    this.settings = props
    this.undelivered = props.data.failures.forRulesOf(this)
    this.generation = this.generationParameter()
    this.socketApi = new SocketApi(this, 'Sockets', { apiName: `${prefix}-sockets`, config })
    this.api = new PlatformFunction(this, 'Api', this.functionProps('api'))
    this.gateway = new AgentGateway(this, 'AgentGateway', this.functionProps('agent-gateway'))
    for (const edge of [this.api, this.gateway]) this.serveApp(edge)
    this.publicApi = new PublicApi(this, 'Public', { restApiName: prefix, handler: this.api, config })
    this.socketApi.logAfter(this.publicApi.mayLog)
    this.stream = this.addProjector()
    this.sweep = this.addSweep()
    this.deliver = this.addDeliverer()
    this.workflowSteps = this.addWorkflowSteps()
    this.register = this.addRegister()
    this.deployer = this.addDeployer()
    this.addIntake()
    this.addSockets()
    const bootstrap = this.addBootstrap()
    new CfnOutput(this, 'ApiUrl', { value: this.publicApi.url })
    new CfnOutput(this, 'SocketUrl', { value: this.socketApi.url })
    new CfnOutput(this, 'AgentGatewayFunction', { value: this.gateway.functionName })
    new CfnOutput(this, 'BootstrapFunction', { value: bootstrap.functionName })
  }

  /** In this stack, since an exported value that other stacks use cannot change. Deploys keep what was given last. */
  private generationParameter(): CfnParameter {
    return new CfnParameter(this, 'Generation', {
      type: 'Number',
      default: 1,
      minValue: 1,
      description:
        'First half of every fence. Set it to the current unix time after restoring a backup or failing over.',
    })
  }

  private functionProps(folder: string, more: Partial<PlatformFunctionProps> = {}): PlatformFunctionProps {
    const { prefix, config } = this.settings
    const functionName = `${prefix}-${folder}`
    return { folder, functionName, environment: this.settingsOf(functionName), logDays: config.logDays, ...more }
  }

  private settingsOf(service: string): SettingsEnvironment {
    const { stage, prefix, data, config } = this.settings
    const hosted = builtInAgents.map(({ agent, slots }) => ({
      agent,
      service: `${clusterName(prefix)}/${serviceName(prefix, agent)}`,
      slots,
      max: config.maxInstances,
    }))
    return {
      STAGE: stage,
      MAIN_TABLE: data.main.tableName,
      VOLATILE_TABLE: data.volatile.tableName,
      OBJECTS_BUCKET: data.objects.bucketName,
      EVENT_BUS_NAME: data.bus.eventBusName,
      QUEUE_PREFIX: prefix,
      WEBSOCKET_URL: this.socketApi.url,
      TASK_DEAD_LETTER_ARN: data.undeliverable.queueArn,
      STATE_MACHINE_PREFIX: this.machinePrefix(),
      DEPLOYER_FUNCTION: `${prefix}-deployer`,
      WORKFLOW_ROLE_ARN: data.workflowRole.roleArn,
      STEPS_QUEUE_URL: data.steps.queue.queueUrl,
      GENERATION: this.generation.valueAsString,
      SERVICE_NAME: service,
      EGRESS_ALLOW: (config.egressAllow ?? []).join(','),
      HOSTED_AGENTS: JSON.stringify(hosted),
    }
  }

  private serveApp(edge: PlatformFunction): void {
    const { data, prefix } = this.settings
    edge.keepRecords(data.main)
    edge.keepRecords(data.volatile)
    this.keepObjects(edge)
    edge.dispatch(prefix)
    edge.receive(prefix)
    edge.runWorkflows(prefix)
  }

  private keepObjects(edge: PlatformFunction): void {
    const { data } = this.settings
    edge.keepObjects(data.objects)
    acknowledgeWildcards(edge, {
      [`${data.stackName}:ExportsOutputFnGetAttObjectsA92BA4F1ArnDE4464BF/*`]: 'the objects of the own bucket',
    })
  }

  /** A record that cannot be projected holds its shard up for ten tries at most, alone, and is then set aside. */
  private addProjector(): PlatformFunction {
    const { data, prefix } = this.settings
    const stream = new PlatformFunction(this, 'Stream', this.functionProps('stream', { timeout: Duration.minutes(1) }))
    stream.keepRecords(data.main)
    stream.keepRecords(data.volatile)
    this.keepObjects(stream)
    stream.dispatch(prefix)
    stream.receive(prefix)
    stream.publish(data.bus)
    stream.runWorkflows(prefix)
    this.socketApi.allowPushes(stream)
    stream.addEventSource(
      new DynamoEventSource(data.main, {
        startingPosition: StartingPosition.TRIM_HORIZON,
        batchSize: 100,
        parallelizationFactor: 4,
        retryAttempts: 10,
        maxRecordAge: Duration.hours(6),
        bisectBatchOnError: true,
        reportBatchItemFailures: true,
        onFailure: new SqsDlq(data.failures),
        filters: [FilterCriteria.filter({ dynamodb: { NewImage: { type: { S: FilterRule.or(...projectedTypes) } } } })],
      }),
    )
    return stream
  }

  /** Reminders come by the queue; every minute it looks for what a queue has lost, and scales the built-in agents. */
  private addSweep(): PlatformFunction {
    const { data, prefix } = this.settings
    const sweep = new PlatformFunction(
      this,
      'Sweep',
      this.functionProps('sweep', { timeout: Duration.minutes(1), onFailure: data.failures }),
    )
    sweep.keepRecords(data.main)
    sweep.keepRecords(data.volatile)
    this.keepObjects(sweep)
    sweep.dispatch(prefix)
    sweep.publish(data.bus)
    sweep.runWorkflows(prefix)
    sweep.addEventSource(new SqsEventSource(data.due.queue, { batchSize: 10, reportBatchItemFailures: true }))
    this.permitScaling(sweep)
    const event = RuleTargetInput.fromObject({})
    new Rule(this, 'EveryMinute', {
      ruleName: `${prefix}-every-minute`,
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [new LambdaFunction(sweep, { deadLetterQueue: this.undelivered, retryAttempts: 2, event })],
    })
    return sweep
  }

  /** Slow receivers hold up nothing but deliveries. */
  private addDeliverer(): PlatformFunction {
    const { data, prefix } = this.settings
    const deliver = new PlatformFunction(
      this,
      'Deliver',
      this.functionProps('deliver', { timeout: Duration.minutes(1) }),
    )
    deliver.keepRecords(data.main)
    this.keepObjects(deliver)
    deliver.dispatch(prefix)
    deliver.addEventSource(
      new SqsEventSource(data.deliveries.queue, { batchSize: 10, maxConcurrency: 50, reportBatchItemFailures: true }),
    )
    return deliver
  }

  /** Does what the steps of runs ask for, and hears of the ends of their machines. */
  private addWorkflowSteps(): PlatformFunction {
    const { data, prefix } = this.settings
    const steps = new PlatformFunction(
      this,
      'WorkflowSteps',
      this.functionProps('workflow-steps', { timeout: Duration.minutes(1), onFailure: data.failures }),
    )
    steps.keepRecords(data.main)
    steps.keepRecords(data.volatile)
    this.keepObjects(steps)
    steps.dispatch(prefix)
    steps.publish(data.bus)
    steps.runWorkflows(prefix)
    steps.readMachines(prefix)
    steps.addEventSource(new SqsEventSource(data.steps.queue, { batchSize: 10, reportBatchItemFailures: true }))
    new Rule(this, 'RunEnds', {
      ruleName: `${prefix}-run-ends`,
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: {
          status: ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'],
          stateMachineArn: Match.prefix(`${this.machinePrefix()}-`),
        },
      },
      targets: [new LambdaFunction(steps, { deadLetterQueue: this.undelivered, retryAttempts: 8 })],
    })
    return steps
  }

  /** CloudFormation asks it, for what the stack of workflows has. */
  private addRegister(): PlatformFunction {
    const { data } = this.settings
    const register = new PlatformFunction(
      this,
      'Register',
      this.functionProps('register', { timeout: Duration.minutes(1) }),
    )
    register.keepRecords(data.main)
    this.keepObjects(register)
    return register
  }

  /** The one role by which machines are made at run time: of the own prefix, acting as the role of workflows alone. */
  private addDeployer(): PlatformFunction {
    const { data, prefix } = this.settings
    const deployer = new PlatformFunction(
      this,
      'Deployer',
      this.functionProps('deployer', { timeout: Duration.minutes(1) }),
    )
    deployer.deployWorkflows(prefix, data.workflowRole)
    for (const edge of [this.api, this.sweep, this.stream, this.workflowSteps, this.register])
      edge.haveWorkflowsDeployed(prefix, deployer)
    return deployer
  }

  /** What the ARN of every state machine of workflows begins with. */
  private machinePrefix(): string {
    const [service, resource, resourceName] = ['states', 'stateMachine', this.settings.prefix]
    return this.formatArn({ service, resource, resourceName, arnFormat: ArnFormat.COLON_RESOURCE_NAME })
  }

  private permitScaling(sweep: PlatformFunction): void {
    const { prefix } = this.settings
    const cluster = clusterName(prefix)
    const arn = (resource: string, resourceName: string) => this.formatArn({ service: 'ecs', resource, resourceName })
    const services = builtInAgents.map(({ agent }) => arn('service', `${cluster}/${serviceName(prefix, agent)}`))
    sweep.permit(['ecs:UpdateService'], services)
    sweep.permit(['ecs:DescribeTasks'], [arn('task', `${cluster}/*`)])
    sweep.permit(['ecs:ListTasks'], ['*'], { ArnEquals: { 'ecs:cluster': arn('cluster', cluster) } })
    acknowledgeWildcards(sweep, {
      [`arn:<AWS::Partition>:ecs:<AWS::Region>:<AWS::AccountId>:task/${cluster}/*`]: 'the tasks of the own cluster',
    })
  }

  /** Tasks come by the default bus; what others put on the own one becomes messages, except what it has put there itself. */
  private addIntake(): void {
    const { data, prefix } = this.settings
    const intake = new PlatformFunction(this, 'Intake', this.functionProps('intake', { onFailure: data.failures }))
    intake.keepRecords(data.main)
    intake.keepRecords(data.volatile)
    this.keepObjects(intake)
    intake.dispatch(prefix)
    new Rule(this, 'IntakeRule', {
      ruleName: `${prefix}-intake`,
      eventBus: EventBus.fromEventBusName(this, 'DefaultBus', 'default'),
      eventPattern: { detailType: ['devcycle.task.submit'] },
      targets: [new LambdaFunction(intake, { deadLetterQueue: this.undelivered, retryAttempts: 8 })],
    })
    new Rule(this, 'MessagesRule', {
      ruleName: `${prefix}-messages`,
      eventBus: data.bus,
      eventPattern: {
        source: Match.anythingButPrefix('io.devcycle'),
        detailType: Match.anythingBut('devcycle.task.submit'),
        detail: { hops: Match.doesNotExist() },
      },
      targets: [new LambdaFunction(intake, { deadLetterQueue: this.undelivered, retryAttempts: 8 })],
    })
  }

  private addSockets(): void {
    const sockets = new PlatformFunction(this, 'Websocket', this.functionProps('websocket'))
    this.serveApp(sockets)
    this.socketApi.answerBy(sockets)
    this.socketApi.allowPushes(sockets)
  }

  /** Nothing triggers it and no policy lets another service in: only who may invoke by IAM gets a key. */
  private addBootstrap(): PlatformFunction {
    const { main } = this.settings.data
    const bootstrap = new PlatformFunction(this, 'Bootstrap', this.functionProps('bootstrap'))
    bootstrap.permit(['dynamodb:GetItem', 'dynamodb:PutItem'], [main.tableArn])
    return bootstrap
  }
}
