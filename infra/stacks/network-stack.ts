import { RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib'
import {
  FlowLogDestination,
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  IpAddresses,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'
import type { StageConfig } from '../config.ts'

export interface NetworkStackProps extends StackProps {
  readonly config: StageConfig
}

const endpoints = {
  Sqs: InterfaceVpcEndpointAwsService.SQS,
  Lambda: InterfaceVpcEndpointAwsService.LAMBDA,
  Logs: InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
  Ecr: InterfaceVpcEndpointAwsService.ECR,
  EcrDocker: InterfaceVpcEndpointAwsService.ECR_DOCKER,
}

/** Where agents run. Nothing reaches them from outside: they ask for work. */
export class NetworkStack extends Stack {
  readonly vpc: Vpc
  readonly agents: SecurityGroup
  readonly subnetType: SubnetType

  constructor(scope: Construct, id: string, { config, ...props }: NetworkStackProps) {
    super(scope, id, props)
    this.subnetType = config.network === 'private' ? SubnetType.PRIVATE_ISOLATED : SubnetType.PUBLIC
    this.vpc = new Vpc(this, 'Vpc', {
      ipAddresses: IpAddresses.cidr('10.40.0.0/16'),
      maxAzs: 2,
      natGateways: 0,
      restrictDefaultSecurityGroup: false,
      subnetConfiguration: [{ name: 'Agents', subnetType: this.subnetType, cidrMask: 20 }],
    })
    const logGroup = new LogGroup(this, 'FlowLogs', { retention: config.logDays, removalPolicy: RemovalPolicy.DESTROY })
    this.vpc.addFlowLog('FlowLog', { destination: FlowLogDestination.toCloudWatchLogs(logGroup) })
    this.agents = new SecurityGroup(this, 'AgentSecurityGroup', {
      vpc: this.vpc,
      description: 'Agents: no ingress, egress to AWS and to the repositories they fetch',
    })
    if (config.network === 'private') this.addEndpoints()
  }

  private addEndpoints(): void {
    for (const [id, service] of Object.entries(endpoints)) this.vpc.addInterfaceEndpoint(id, { service })
    this.vpc.addGatewayEndpoint('S3', { service: GatewayVpcEndpointAwsService.S3 })
  }
}
