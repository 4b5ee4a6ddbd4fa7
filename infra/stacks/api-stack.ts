import { ArnFormat, CfnOutput, CfnParameter, Stack } from 'aws-cdk-lib'
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources'
import type { Construct } from 'constructs'
import type { StageProps } from '../config.ts'
import { AgentGateway } from '../constructs/agent-gateway.ts'
import { type EdgeProps, edgesOf, unhurried } from '../constructs/edge.ts'
import { Intake } from '../constructs/intake.ts'
import { PlatformFunction } from '../constructs/platform-function.ts'
import { Projector } from '../constructs/projector.ts'
import { PublicApi } from '../constructs/public-api.ts'
import { SocketApi } from '../constructs/socket-api.ts'
import { Sweep } from '../constructs/sweep.ts'
import { WorkflowDeployer, WorkflowRegister, WorkflowSteps } from '../constructs/workflow-functions.ts'
import type { DataStack } from './data-stack.ts'

export interface ApiStackProps extends StageProps {
  readonly data: DataStack
}

/** The edges: HTTP, agents' calls, the projector, the sweep, the intake, the first key. */
export class ApiStack extends Stack {
  readonly publicApi: PublicApi
  readonly socketApi: SocketApi
  readonly api: PlatformFunction
  readonly gateway: AgentGateway
  readonly stream: Projector
  readonly sweep: Sweep
  readonly deliver: PlatformFunction
  readonly workflowSteps: WorkflowSteps
  /** Makes the state machines of workflows that are posted; nothing else may. */
  readonly deployer: WorkflowDeployer
  /** Stores workflows that come with a deploy. */
  readonly register: WorkflowRegister

  constructor(scope: Construct, id: string, props: ApiStackProps) {
    super(scope, id, props)
    const { prefix, config, data } = props
    const { failures } = data
    const undelivered = failures.forRulesOf(this)
    const machinePrefix = this.machinePrefix(prefix)
    const generation = this.generation().valueAsString
    this.socketApi = new SocketApi(this, 'Sockets', { apiName: `${prefix}-sockets`, config })
    const edge = edgesOf({ ...props, socketUrl: this.socketApi.url, machinePrefix, generation })

    this.api = this.addApi(edge('api'))
    this.gateway = this.addGateway(edge('agent-gateway'))
    this.publicApi = new PublicApi(this, 'Public', { restApiName: prefix, handler: this.api, config })
    this.socketApi.logAfter(this.publicApi.mayLog)
    this.stream = new Projector(this, 'Stream', edge('stream', unhurried))
    this.socketApi.allowPushes(this.stream)
    const later = { ...unhurried, onFailure: failures }
    this.sweep = new Sweep(this, 'Sweep', { ...edge('sweep', later), undelivered })
    this.deliver = this.addDeliverer(edge('deliver', unhurried))
    this.workflowSteps = new WorkflowSteps(this, 'WorkflowSteps', {
      ...edge('workflow-steps', later),
      undelivered,
      machinePrefix,
    })
    this.register = new WorkflowRegister(this, 'Register', edge('register', unhurried))
    this.deployer = new WorkflowDeployer(this, 'Deployer', {
      ...edge('deployer', unhurried),
      callers: [this.api, this.sweep, this.stream, this.workflowSteps, this.register],
    })
    new Intake(this, 'Intake', { ...edge('intake', { onFailure: failures }), undelivered })
    this.addSockets(edge('websocket'))
    const bootstrap = this.addBootstrap(edge('bootstrap'))

    new CfnOutput(this, 'ApiUrl', { value: this.publicApi.url })
    new CfnOutput(this, 'SocketUrl', { value: this.socketApi.url })
    new CfnOutput(this, 'AgentGatewayFunction', { value: this.gateway.functionName })
    new CfnOutput(this, 'BootstrapFunction', { value: bootstrap.functionName })
  }

  /** In this stack, since an exported value that other stacks use cannot change. Deploys keep what was given last. */
  private generation(): CfnParameter {
    return new CfnParameter(this, 'Generation', {
      type: 'Number',
      default: 1,
      minValue: 1,
      description:
        'First half of every fence. Set it to the current unix time after restoring a backup or failing over.',
    })
  }

  /** What the ARN of every state machine of workflows begins with. */
  private machinePrefix(resourceName: string): string {
    const [service, resource] = ['states', 'stateMachine']
    return this.formatArn({ service, resource, resourceName, arnFormat: ArnFormat.COLON_RESOURCE_NAME })
  }

  private addApi(props: EdgeProps): PlatformFunction {
    const api = new PlatformFunction(this, 'Api', props)
    keepAll(api, props)
    api.receive(props.prefix)
    api.runWorkflows(props.prefix)
    api.tellOfRuns(props.prefix)
    api.answerSteps(props.prefix)
    return api
  }

  /** Agents start no runs, and see none: they take tasks and messages, and answer what steps of runs asked for. */
  private addGateway(props: EdgeProps): AgentGateway {
    const gateway = new AgentGateway(this, 'AgentGateway', props)
    keepAll(gateway, props)
    gateway.receive(props.prefix)
    gateway.answerSteps(props.prefix)
    return gateway
  }

  private addSockets(props: EdgeProps): void {
    const sockets = new PlatformFunction(this, 'Websocket', props)
    keepAll(sockets, props)
    sockets.answerSteps(props.prefix)
    this.socketApi.answerBy(sockets)
    this.socketApi.allowPushes(sockets)
  }

  /** Slow receivers hold up nothing but deliveries. */
  private addDeliverer(props: EdgeProps): PlatformFunction {
    const { data, prefix } = props
    const deliver = new PlatformFunction(this, 'Deliver', { ...props, recursive: true })
    deliver.keepRecords(data.main)
    deliver.keepObjects(data.objects)
    deliver.dispatch(prefix)
    deliver.addEventSource(
      new SqsEventSource(data.deliveries.queue, { batchSize: 10, maxConcurrency: 50, reportBatchItemFailures: true }),
    )
    return deliver
  }

  /** Nothing triggers it and no policy lets another service in: only who may invoke by IAM gets a key. */
  private addBootstrap(props: EdgeProps): PlatformFunction {
    const bootstrap = new PlatformFunction(this, 'Bootstrap', props)
    bootstrap.permit(['dynamodb:PutItem'], [props.data.main.tableArn])
    return bootstrap
  }
}

const keepAll = (edge: PlatformFunction, { data, prefix }: EdgeProps): void => {
  edge.keepRecords(data.main)
  edge.keepRecords(data.volatile)
  edge.keepObjects(data.objects)
  edge.dispatch(prefix)
}
