import { ArnFormat, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib'
import type { ITableV2 } from 'aws-cdk-lib/aws-dynamodb'
import type { IEventBus } from 'aws-cdk-lib/aws-events'
import { type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { Architecture, type IFunction, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda'
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { IBucket } from 'aws-cdk-lib/aws-s3'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import type { Construct } from 'constructs'
import type { SettingsEnvironment } from '#shared/platform/aws/settings.ts'
import { tableDefinition } from '#shared/platform/aws/table-definition.ts'
import { acknowledgePolicy, acknowledgeWildcards } from '../acknowledge.ts'
import { functionCode } from '../bundle.ts'
import { queuesNamed, stateMachinesNamed } from '../names.ts'

export interface PlatformFunctionProps {
  /** Folder below `functions/` whose `handler.ts` exports `handler`. */
  readonly folder: string
  readonly functionName: string
  /** Everything the settings schema asks for: what is missing here does not compile. */
  readonly environment: SettingsEnvironment
  readonly logDays: RetentionDays
  /** @default 29 seconds, as long as API Gateway waits */
  readonly timeout?: Duration
  /** @default 512 */
  readonly memorySize?: number
  /** Where events go that could not be handled. @default nowhere: the function only has callers that wait */
  readonly onFailure?: IQueue
}

const readActions = ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query']
const writeActions = ['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem', 'dynamodb:ConditionCheckItem']
const dispatchActions = [
  'sqs:CreateQueue',
  'sqs:TagQueue',
  'sqs:GetQueueUrl',
  'sqs:GetQueueAttributes',
  'sqs:SendMessage',
]
const receiveActions = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility']

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsstepfunctions.html */
const runActions = {
  stateMachine: [
    'states:StartExecution',
    'states:SendTaskSuccess',
    'states:SendTaskFailure',
    'states:SendTaskHeartbeat',
  ],
  execution: [
    'states:StopExecution',
    'states:DescribeExecution',
    'states:GetExecutionHistory',
    'states:RedriveExecution',
  ],
}
const deployActions = [
  'states:CreateStateMachine',
  'states:UpdateStateMachine',
  'states:PublishStateMachineVersion',
  'states:TagResource',
  'states:CreateStateMachineAlias',
  'states:DescribeStateMachineAlias',
  'states:ListStateMachineAliases',
  'states:DeleteStateMachineAlias',
]

/** A function on arm64 and Node 24, traced, with a log group of its own. It may do nothing until it is told what. */
export class PlatformFunction extends LambdaFunction {
  constructor(scope: Construct, id: string, props: PlatformFunctionProps) {
    const { folder, functionName, environment, logDays, onFailure } = props
    const { timeout = Duration.seconds(29), memorySize = 512 } = props
    super(scope, id, {
      functionName,
      code: functionCode(folder),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      timeout,
      memorySize,
      tracing: Tracing.ACTIVE,
      environment: { POWERTOOLS_LOG_LEVEL: 'INFO', ...(environment as Record<string, string>) },
      logGroup: new LogGroup(scope, `${id}Logs`, { retention: logDays, removalPolicy: RemovalPolicy.DESTROY }),
      ...(onFailure && { onFailure: new SqsDestination(onFailure), retryAttempts: 2 }),
    })
    acknowledgePolicy(this, 'AWSLambdaBasicExecutionRole', 'it writes logs and nothing else')
    acknowledgeWildcards(this, { '*': 'X-Ray has no resources to name' })
  }

  private readRecords(table: ITableV2): void {
    this.permit(readActions, [table.tableArn, ...tableDefinition.indexes.map((one) => indexArn(table, one.indexName))])
  }

  keepRecords(table: ITableV2): void {
    this.readRecords(table)
    this.permit(writeActions, [table.tableArn])
  }

  /** Listing only tells a missing object from a forbidden one. */
  keepObjects(bucket: IBucket): void {
    this.permit(['s3:GetObject', 's3:PutObject', 's3:DeleteObject'], [bucket.arnForObjects('*')])
    this.permit(['s3:ListBucket'], [bucket.bucketArn])
  }

  /** Makes the queues of agents, sends to them, and counts what waits. */
  dispatch(prefix: string): void {
    this.permit(dispatchActions, [this.queues(prefix)])
  }

  /** Hands out to callers what the queues of agents hold. */
  receive(prefix: string): void {
    this.permit(receiveActions, [this.queues(prefix)])
  }

  /** Starts, stops, and tells of runs, and answers their steps. */
  runWorkflows(prefix: string): void {
    this.permit(runActions.stateMachine, [this.machines(prefix, 'stateMachine')])
    this.permit(runActions.execution, [this.machines(prefix, 'execution')])
  }

  /** Makes the state machines of workflows that are posted; they act as `role` and as nothing else. */
  deployWorkflows(prefix: string, role: IRole): void {
    this.permit(deployActions, [this.machines(prefix, 'stateMachine')])
    this.permit(['iam:PassRole'], [role.roleArn], { StringEquals: { 'iam:PassedToService': 'states.amazonaws.com' } })
  }

  /** Has machines made by the function that may, and sees whether they are there. */
  haveWorkflowsDeployed(prefix: string, deployer: IFunction): void {
    this.permit(['states:DescribeStateMachineAlias'], [this.machines(prefix, 'stateMachine')])
    this.permit(['lambda:InvokeFunction'], [deployer.functionArn])
  }

  publish(bus: IEventBus): void {
    bus.grantPutEventsTo(this)
  }

  permit(actions: string[], resources: string[], conditions?: Record<string, unknown>): void {
    this.addToRolePolicy(new PolicyStatement({ actions, resources, conditions }))
  }

  /** Hears of the ends of runs, and reads whose they are. */
  readMachines(prefix: string): void {
    this.permit(['states:ListTagsForResource'], [this.machines(prefix, 'stateMachine')])
  }

  private machines(prefix: string, resource: 'stateMachine' | 'execution'): string {
    const resourceName = resource === 'execution' ? `${stateMachinesNamed(prefix)}:*` : stateMachinesNamed(prefix)
    acknowledgeWildcards(this, {
      [`arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:${resource}:${resourceName}`]:
        'state machines of workflows are made while the platform runs, under its own prefix',
    })
    const arnFormat = ArnFormat.COLON_RESOURCE_NAME
    return Stack.of(this).formatArn({ service: 'states', resource, resourceName, arnFormat })
  }

  private queues(prefix: string): string {
    const resource = queuesNamed(prefix)
    acknowledgeWildcards(this, {
      [`arn:<AWS::Partition>:sqs:<AWS::Region>:<AWS::AccountId>:${resource}`]:
        "agents' queues are made while the platform runs, under its own prefix",
    })
    return Stack.of(this).formatArn({ service: 'sqs', resource })
  }
}

const indexArn = (table: ITableV2, index: string): string => `${table.tableArn}/index/${index}`
