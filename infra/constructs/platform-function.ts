import { ArnFormat, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib'
import type { ITableV2 } from 'aws-cdk-lib/aws-dynamodb'
import type { IEventBus } from 'aws-cdk-lib/aws-events'
import { type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import {
  Architecture,
  type IFunction,
  Function as LambdaFunction,
  RecursiveLoop,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda'
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { IBucket } from 'aws-cdk-lib/aws-s3'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import type { Construct } from 'constructs'
import { ownPermissions, type PortPermission, portPermissions } from '#shared/platform/aws/port-permissions.ts'
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
  /**
   * Messages that it sends may come back to it, each again and again: reminders do that for as long as something lives.
   * @default false: Lambda stops what comes for the 16th time
   */
  readonly recursive?: boolean
}

/** A function on arm64 and Node 24, traced, with a log group of its own. It may do nothing until it is told what. */
export class PlatformFunction extends LambdaFunction {
  constructor(scope: Construct, id: string, props: PlatformFunctionProps) {
    const { folder, functionName, environment, logDays, onFailure } = props
    const { timeout = Duration.seconds(29), memorySize = 512, recursive = false } = props
    super(scope, id, {
      functionName,
      code: functionCode(folder),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      timeout,
      memorySize,
      tracing: Tracing.ACTIVE,
      recursiveLoop: recursive ? RecursiveLoop.ALLOW : RecursiveLoop.TERMINATE,
      environment: { POWERTOOLS_LOG_LEVEL: 'INFO', ...(environment as Record<string, string>) },
      logGroup: new LogGroup(scope, `${id}Logs`, { retention: logDays, removalPolicy: RemovalPolicy.DESTROY }),
      ...(onFailure && { onFailure: new SqsDestination(onFailure), retryAttempts: 2 }),
    })
    acknowledgePolicy(this, 'AWSLambdaBasicExecutionRole', 'it writes logs and nothing else')
    acknowledgeWildcards(this, { '*': 'X-Ray has no resources to name' })
  }

  keepRecords(table: ITableV2): void {
    const indexes = tableDefinition.indexes.map(({ indexName }) => `${table.tableArn}/index/${indexName}`)
    this.allow(portPermissions.records.actions, { table: [table.tableArn], index: indexes })
  }

  keepObjects(bucket: IBucket): void {
    acknowledgeWildcards(this, {
      [`${Stack.of(bucket).stackName}:ExportsOutputFnGetAttObjectsA92BA4F1ArnDE4464BF/*`]:
        'the objects of the own bucket',
    })
    this.allow(portPermissions.objects.actions, { object: [bucket.arnForObjects('*')], bucket: [bucket.bucketArn] })
  }

  /** Makes the queues of agents, sends to them, and counts what waits. */
  dispatch(prefix: string): void {
    this.allow(portPermissions.dispatch.actions, { queue: [this.queues(prefix)] })
  }

  /** Hands out to callers what the queues of agents hold. */
  receive(prefix: string): void {
    this.allow(portPermissions.receive.actions, { queue: [this.queues(prefix)] })
  }

  publish(bus: IEventBus): void {
    this.allow(portPermissions.publish.actions, { bus: [bus.eventBusArn] })
  }

  /** Starts, stops, and describes runs. */
  runWorkflows(prefix: string): void {
    const [machine, execution] = [this.machines(prefix, 'stateMachine'), this.machines(prefix, 'execution')]
    this.allow(portPermissions.runs.actions, { machine: [machine], execution: [execution] })
  }

  /** Tells what happened in runs. */
  tellOfRuns(prefix: string): void {
    this.allow(portPermissions.histories.actions, { execution: [this.machines(prefix, 'execution')] })
  }

  /** Ends the steps of runs. */
  answerSteps(prefix: string): void {
    this.allow(portPermissions.answers.actions, { machine: [this.machines(prefix, 'stateMachine')] })
  }

  /** Has machines made by the function that may, and sees whether they are there. */
  haveWorkflowsDeployed(prefix: string, deployer: IFunction): void {
    const machine = [this.machines(prefix, 'stateMachine')]
    this.allow(portPermissions.deploy.actions, { machine, function: [deployer.functionArn] })
  }

  /** Makes the state machines of workflows that are posted; they act as `role` and as nothing else. */
  deployWorkflows(prefix: string, role: IRole): void {
    this.allow(ownPermissions.machines, { machine: [this.machines(prefix, 'stateMachine')] })
    this.permit(['iam:PassRole'], [role.roleArn], { StringEquals: { 'iam:PassedToService': 'states.amazonaws.com' } })
  }

  /** Hears of the ends of runs, and reads whose they are. */
  readMachines(prefix: string): void {
    this.allow(ownPermissions.runEnds, { machine: [this.machines(prefix, 'stateMachine')] })
  }

  permit(actions: readonly string[], resources: string[], conditions?: Record<string, unknown>): void {
    this.addToRolePolicy(new PolicyStatement({ actions: [...actions], resources, conditions }))
  }

  /** Every action on the resources of its kind; a kind without any does not compile. */
  protected allow<A extends PortPermission['actions']>(actions: A, resources: Record<keyof A, string[]>): void {
    for (const [kind, named] of Object.entries<readonly string[]>(actions as Record<string, readonly string[]>))
      this.permit(named, resources[kind as keyof A])
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
