import { RemovalPolicy } from 'aws-cdk-lib'
import {
  AccessLogField,
  AccessLogFormat,
  type CfnRestApi,
  EndpointAccessMode,
  EndpointType,
  LambdaRestApi,
  LogGroupLogDestination,
  MethodLoggingLevel,
  SecurityPolicy,
} from 'aws-cdk-lib/aws-apigateway'
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Construct, type IDependable } from 'constructs'
import { acknowledge, acknowledgePolicy } from '../acknowledge.ts'
import type { StageConfig } from '../config.ts'
import { explainRefusals } from './gateway-refusals.ts'

export interface PublicApiProps {
  readonly restApiName: string
  /** Answers every request. */
  readonly handler: IFunction
  readonly config: Pick<StageConfig, 'logDays' | 'throttle' | 'domain'>
}

/** TLS 1.3 and nothing before it; requests for another host's name are refused. */
const tls = { securityPolicy: SecurityPolicy.TLS13_1_3_2025_09, endpointAccessMode: EndpointAccessMode.STRICT }

const stageName = 'live'

/** One line a request, with the TLS version as evidence and no header of the caller. */
const accessLogFormat = AccessLogFormat.custom(
  JSON.stringify({
    time: AccessLogField.contextRequestTime(),
    requestId: AccessLogField.contextRequestId(),
    ip: AccessLogField.contextIdentitySourceIp(),
    method: AccessLogField.contextHttpMethod(),
    path: AccessLogField.contextPath(),
    status: AccessLogField.contextStatus(),
    bytes: AccessLogField.contextResponseLength(),
    ms: AccessLogField.contextResponseLatency(),
    integrationMs: AccessLogField.contextIntegrationLatency(),
    error: AccessLogField.contextErrorMessage(),
    tls: '$context.tlsVersion',
    cipher: '$context.cipherSuite',
  }),
)

/** The HTTP API as the internet sees it: a regional REST API that hands every request to one function. */
export class PublicApi extends Construct {
  readonly restApi: LambdaRestApi
  /** Where it answers: the own domain if there is one. */
  readonly url: string
  /** That the APIs of the account may write logs: API Gateway refuses a stage that logs before that. */
  readonly mayLog: IDependable

  constructor(scope: Construct, id: string, { restApiName, handler, config }: PublicApiProps) {
    super(scope, id)
    const { logDays, throttle, domain } = config
    const logs = new LogGroup(this, 'AccessLogs', { retention: logDays, removalPolicy: RemovalPolicy.DESTROY })
    this.restApi = new LambdaRestApi(this, 'RestApi', {
      restApiName,
      handler,
      integrationOptions: { allowTestInvoke: false },
      endpointTypes: [EndpointType.REGIONAL],
      disableExecuteApiEndpoint: domain !== undefined,
      cloudWatchRole: true,
      deployOptions: {
        stageName,
        tracingEnabled: true,
        loggingLevel: MethodLoggingLevel.ERROR,
        throttlingRateLimit: throttle.rate,
        throttlingBurstLimit: throttle.burst,
        accessLogDestination: new LogGroupLogDestination(logs),
        accessLogFormat,
      },
    })
    this.requireTls13(this.restApi.node.defaultChild as CfnRestApi)
    this.mayLog = this.restApi.node.findChild('Account')
    this.forgetExecutions(logDays)
    explainRefusals(this.restApi)
    this.acknowledgeRules()
    this.url = domain === undefined ? this.restApi.url : this.addDomain(domain)
  }

  /** API Gateway negotiates by the policy of the API, also under the name of a domain that has one of its own. */
  private requireTls13(restApi: CfnRestApi): void {
    restApi.securityPolicy = tls.securityPolicy
    restApi.endpointAccessMode = tls.endpointAccessMode
  }

  /** API Gateway keeps what it logs of failures for ever, unless it finds a group of that name which does not. */
  private forgetExecutions(retention: RetentionDays): void {
    const logGroupName = `API-Gateway-Execution-Logs_${this.restApi.restApiId}/${stageName}`
    const removalPolicy = RemovalPolicy.DESTROY
    const logs = new LogGroup(this, 'ExecutionLogs', { logGroupName, retention, removalPolicy })
    this.restApi.deploymentStage.node.addDependency(logs)
  }

  private addDomain({ name, certificateArn }: NonNullable<StageConfig['domain']>): string {
    this.restApi.addDomainName('Domain', {
      domainName: name,
      certificate: Certificate.fromCertificateArn(this, 'Certificate', certificateArn),
      endpointType: EndpointType.REGIONAL,
      ...tls,
    })
    return `https://${name}/`
  }

  private acknowledgeRules(): void {
    const byApp = 'the app behind the API checks every request: keys, schemas, sizes'
    for (const rule of ['APIG2', 'APIG4', 'COG4']) acknowledge(this, `AwsSolutions-${rule}`, byApp)
    const costly = 'a web application firewall costs more than the rest at rest; add one where you need it'
    acknowledge(this, 'AwsSolutions-APIG3', costly)
    acknowledgePolicy(
      this,
      'AmazonAPIGatewayPushToCloudWatchLogs',
      "API Gateway's own role writes logs and nothing else",
    )
  }
}
