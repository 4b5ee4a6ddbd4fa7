import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib'
import {
  AccessLogFormat,
  EndpointType,
  LambdaRestApi,
  LogGroupLogDestination,
  MethodLoggingLevel,
  SecurityPolicy,
} from 'aws-cdk-lib/aws-apigateway'
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager'
import { EventBus, Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets'
import { type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda'
import { DynamoEventSource, SqsDlq, SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'
import type { SettingsEnvironment } from '#shared/platform/aws/settings.ts'
import { acknowledge, acknowledgePolicy, acknowledgeWildcards } from '../acknowledge.ts'
import { builtInAgents, type Stage, type StageConfig } from '../config.ts'
import { PlatformFunction } from '../constructs/platform-function.ts'
import { PlatformQueue } from '../constructs/platform-queue.ts'
import { clusterName, serviceName } from '../names.ts'
import type { DataStack } from './data-stack.ts'

export interface ApiStackProps extends StackProps {
  readonly stage: Stage
  readonly prefix: string
  readonly config: StageConfig
  readonly data: DataStack
}

/** Types of items that the projector has something to do for; what it writes itself does not wake it again. */
const projectedTypes = ['task', 'agent', 'offer']

const queueActions = [
  'sqs:CreateQueue',
  'sqs:GetQueueUrl',
  'sqs:GetQueueAttributes',
  'sqs:SetQueueAttributes',
  'sqs:TagQueue',
  'sqs:SendMessage',
  'sqs:ReceiveMessage',
  'sqs:DeleteMessage',
  'sqs:ChangeMessageVisibility',
]

/** The edges: HTTP, agents' calls, the projector, the sweep, the intake. */
export class ApiStack extends Stack {
  readonly gateway: PlatformFunction
  readonly restApi: LambdaRestApi
  readonly functions: Record<string, PlatformFunction> = {}
  readonly failures: PlatformQueue
  private readonly settings: ApiStackProps

  constructor(scope: Construct, id: string, props: ApiStackProps) {
    super(scope, id, props)
    this.settings = props
    this.failures = new PlatformQueue(this, 'Failures', {
      queueName: `${props.prefix}-failures`,
      isDeadLetterQueue: true,
    })
    this.restApi = this.addApi(this.platformFunction('Api', 'api'))
    this.gateway = this.platformFunction('AgentGateway', 'agent-gateway')
    this.addProjector(this.platformFunction('Stream', 'stream', Duration.minutes(1)))
    this.addSweep(this.platformFunction('Sweep', 'sweep', Duration.minutes(1)))
    this.addIntake(this.platformFunction('Intake', 'intake'))
    const bootstrap = this.platformFunction('Bootstrap', 'bootstrap')
    for (const { agent } of builtInAgents) this.gateway.addAlias(agent)
    this.explainWildcards()
    new CfnOutput(this, 'ApiUrl', { value: this.restApi.url })
    new CfnOutput(this, 'AgentGatewayFunction', { value: this.gateway.functionName })
    new CfnOutput(this, 'BootstrapFunction', { value: bootstrap.functionName })
    new CfnOutput(this, 'MainTable', { value: props.data.main.tableName })
    new CfnOutput(this, 'EventBusName', { value: props.data.bus.eventBusName })
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
      TASK_DEAD_LETTER_ARN: data.undeliverable.queue.queueArn,
      GENERATION: data.generation.valueAsString,
      SERVICE_NAME: service,
      HOSTED_AGENTS: JSON.stringify(hosted),
    }
  }

  /** A function with the platform's settings and what the use-cases of every edge need. */
  private platformFunction(id: string, folder: string, timeout?: Duration): PlatformFunction {
    const { prefix, config, data } = this.settings
    const name = `${prefix}-${folder}`
    const created = new PlatformFunction(this, id, {
      folder,
      functionName: name,
      environment: this.settingsOf(name),
      logDays: config.logDays,
      timeout,
    })
    data.main.grantReadWriteData(created)
    data.volatile.grantReadWriteData(created)
    this.grantObjects(created)
    this.grantQueues(created)
    this.functions[id] = created
    return created
  }

  private explainWildcards(): void {
    const { data, prefix } = this.settings
    const exported = (name: string) => `${data.stackName}:ExportsOutputFnGetAtt${name}`
    const local = (service: string, resource: string) =>
      `arn:<AWS::Partition>:${service}:<AWS::Region>:<AWS::AccountId>:${resource}`
    acknowledgeWildcards(this, {
      '*': 'X-Ray and the listing of ECS tasks have no resources to name',
      [`${exported('Main54E5BC70Arn491CC386')}/index/*`]: 'the indexes of the own table',
      [`${exported('Volatile8F05FEA5ArnF9E2112A')}/index/*`]: 'the indexes of the own table',
      [`${exported('ObjectsA92BA4F1ArnDE4464BF')}/*`]: 'the objects of the own bucket',
      [local('sqs', `${prefix}-*`)]: "agents' queues are made while the platform runs, under the own prefix",
      [local('ecs', `service/${clusterName(prefix)}/${prefix}-*`)]: 'the services of the own cluster',
    })
  }

  /** Reading and writing objects; listing only tells a missing object from a forbidden one. */
  private grantObjects(grantee: IGrantable): void {
    const { objects } = this.settings.data
    const grant = (actions: string[], resource: string) =>
      grantee.grantPrincipal.addToPrincipalPolicy(new PolicyStatement({ actions, resources: [resource] }))
    grant(['s3:GetObject', 's3:PutObject', 's3:DeleteObject'], objects.arnForObjects('*'))
    grant(['s3:ListBucket'], objects.bucketArn)
  }

  /** Queues of agents are made while the platform runs: permissions are by the name's prefix. */
  private grantQueues(grantee: IGrantable): void {
    const resource = this.formatArn({ service: 'sqs', resource: `${this.settings.prefix}-*` })
    grantee.grantPrincipal.addToPrincipalPolicy(new PolicyStatement({ actions: queueActions, resources: [resource] }))
  }

  private addApi(handler: PlatformFunction): LambdaRestApi {
    const { config, prefix } = this.settings
    const accessLogs = new LogGroup(this, 'AccessLogs', {
      retention: config.logDays,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    const api = new LambdaRestApi(this, 'RestApi', {
      restApiName: prefix,
      handler,
      endpointTypes: [EndpointType.REGIONAL],
      cloudWatchRole: true,
      deployOptions: {
        stageName: 'live',
        tracingEnabled: true,
        loggingLevel: MethodLoggingLevel.ERROR,
        throttlingRateLimit: config.throttle.rate,
        throttlingBurstLimit: config.throttle.burst,
        accessLogDestination: new LogGroupLogDestination(accessLogs),
        accessLogFormat: AccessLogFormat.jsonWithStandardFields(),
      },
    })
    this.addDomain(api)
    const byApp = 'the app behind the API checks every request: keys, schemas, sizes'
    acknowledge(api, 'AwsSolutions-APIG2', byApp)
    acknowledge(api, 'AwsSolutions-APIG4', byApp)
    acknowledge(api, 'AwsSolutions-COG4', byApp)
    acknowledge(
      api,
      'AwsSolutions-APIG3',
      'a web application firewall costs more than the rest at rest; add one where you need it',
    )
    acknowledgePolicy(
      api,
      'AmazonAPIGatewayPushToCloudWatchLogs',
      "API Gateway's own role writes logs and nothing else",
    )
    return api
  }

  private addDomain(api: LambdaRestApi): void {
    const { domain } = this.settings.config
    if (domain === undefined) return
    api.addDomainName('Domain', {
      domainName: domain.name,
      certificate: Certificate.fromCertificateArn(this, 'Certificate', domain.certificateArn),
      endpointType: EndpointType.REGIONAL,
      securityPolicy: SecurityPolicy.TLS13_1_3_2025_09,
    })
  }

  private addProjector(stream: PlatformFunction): void {
    const { data } = this.settings
    const type = FilterRule.or(...projectedTypes)
    stream.addEventSource(
      new DynamoEventSource(data.main, {
        startingPosition: StartingPosition.TRIM_HORIZON,
        batchSize: 100,
        parallelizationFactor: 4,
        retryAttempts: 10,
        maxRecordAge: Duration.hours(6),
        bisectBatchOnError: true,
        reportBatchItemFailures: true,
        onFailure: new SqsDlq(this.failures.queue),
        filters: [FilterCriteria.filter({ dynamodb: { NewImage: { type: { S: type } } } })],
      }),
    )
    data.bus.grantPutEventsTo(stream)
  }

  private addSweep(sweep: PlatformFunction): void {
    const { data, prefix } = this.settings
    sweep.addEventSource(new SqsEventSource(data.due.queue, { batchSize: 10, reportBatchItemFailures: true }))
    new Rule(this, 'EveryMinute', {
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [
        new LambdaFunction(sweep, {
          deadLetterQueue: this.failures.queue,
          retryAttempts: 2,
          event: RuleTargetInput.fromObject({}),
        }),
      ],
    })
    const cluster = clusterName(prefix)
    const arn = (resource: string, resourceName: string) => this.formatArn({ service: 'ecs', resource, resourceName })
    sweep.addToRolePolicy(
      new PolicyStatement({ actions: ['ecs:UpdateService'], resources: [arn('service', `${cluster}/${prefix}-*`)] }),
    )
    sweep.addToRolePolicy(
      new PolicyStatement({
        actions: ['ecs:ListTasks', 'ecs:DescribeTasks'],
        resources: ['*'],
        conditions: { ArnEquals: { 'ecs:cluster': arn('cluster', cluster) } },
      }),
    )
  }

  private addIntake(intake: PlatformFunction): void {
    new Rule(this, 'IntakeRule', {
      eventBus: EventBus.fromEventBusName(this, 'DefaultBus', 'default'),
      eventPattern: { detailType: ['devcycle.task.submit'] },
      targets: [new LambdaFunction(intake, { deadLetterQueue: this.failures.queue, retryAttempts: 8 })],
    })
  }
}
