import { RemovalPolicy, Stack } from 'aws-cdk-lib'
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway'
import { type CfnApi, LogGroupLogDestination, WebSocketApi, WebSocketStage } from 'aws-cdk-lib/aws-apigatewayv2'
import { WebSocketLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import { Construct, type IDependable } from 'constructs'
import { acknowledge, acknowledgeWildcards } from '../acknowledge.ts'
import type { StageConfig } from '../config.ts'
import type { PlatformFunction } from './platform-function.ts'

export interface SocketApiProps {
  readonly apiName: string
  readonly config: Pick<StageConfig, 'logDays' | 'throttle'>
}

/** One line a connection, message or end, with nothing of what was said: an address may carry a ticket. */
const accessLogFormat = AccessLogFormat.custom(
  JSON.stringify({
    time: '$context.requestTime',
    requestId: '$context.requestId',
    ip: '$context.identity.sourceIp',
    event: '$context.eventType',
    connection: '$context.connectionId',
    status: '$context.status',
    error: '$context.error.message',
  }),
)

/** Sockets as the internet sees them: a WebSocket API whose connections and messages go to one function. */
export class SocketApi extends Construct {
  readonly webSocketApi: WebSocketApi
  /** Where clients connect. */
  readonly url: string
  private readonly stage: WebSocketStage

  constructor(scope: Construct, id: string, { apiName, config }: SocketApiProps) {
    super(scope, id)
    const { logDays, throttle } = config
    const logs = new LogGroup(this, 'AccessLogs', { retention: logDays, removalPolicy: RemovalPolicy.DESTROY })
    this.webSocketApi = new WebSocketApi(this, 'Api', { apiName })
    this.stage = new WebSocketStage(this, 'Stage', {
      webSocketApi: this.webSocketApi,
      stageName: 'live',
      autoDeploy: true,
      throttle: { rateLimit: throttle.rate, burstLimit: throttle.burst },
      accessLogSettings: { destination: new LogGroupLogDestination(logs), format: accessLogFormat },
    })
    this.url = `${this.webSocketApi.apiEndpoint}/live`
  }

  /** Its stage comes after what lets it write logs. */
  logAfter(mayLog: IDependable): void {
    this.stage.node.addDependency(mayLog)
  }

  /** The function that takes connections and answers what they send. */
  answerBy(handler: PlatformFunction): void {
    const integration = new WebSocketLambdaIntegration('Integration', handler)
    for (const route of ['$connect', '$disconnect', '$default'])
      acknowledge(
        this.webSocketApi.addRoute(route, { integration }),
        'AwsSolutions-APIG4',
        'the function checks the key or ticket of every connection',
      )
  }

  /** Sends to connections, and ends them. */
  allowPushes(pusher: PlatformFunction): void {
    this.stage.grantManagementApiAccess(pusher)
    const connections = `<${Stack.of(this).getLogicalId(this.webSocketApi.node.defaultChild as CfnApi)}>/live/*/@connections/*`
    acknowledgeWildcards(pusher, {
      [`arn:<AWS::Partition>:execute-api:<AWS::Region>:<AWS::AccountId>:${connections}`]:
        'connections come and go; all of them are its own',
    })
  }
}
