import { RemovalPolicy, Stack } from 'aws-cdk-lib'
import {
  FlowLogDestination,
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  IpAddresses,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'
import type { StageProps } from '../config.ts'

/** All that agents call when they can call nothing else; S3 has a gateway, which is free. */
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

  constructor(scope: Construct, id: string, props: StageProps) {
    super(scope, id, props)
    const { config } = props
    const isPrivate = config.network === 'private'
    this.subnetType = isPrivate ? SubnetType.PRIVATE_ISOLATED : SubnetType.PUBLIC
    this.vpc = new Vpc(this, 'Vpc', {
      ipAddresses: IpAddresses.cidr('10.40.0.0/16'),
      maxAzs: 2,
      natGateways: 0,
      restrictDefaultSecurityGroup: false, // nothing is ever in it, and emptying it takes a function of CDK's
      subnetConfiguration: [{ name: 'Agents', subnetType: this.subnetType, cidrMask: 20 }],
    })
    const logGroup = new LogGroup(this, 'FlowLogs', { retention: config.logDays, removalPolicy: RemovalPolicy.DESTROY })
    this.vpc.addFlowLog('FlowLog', { destination: FlowLogDestination.toCloudWatchLogs(logGroup) })
    this.agents = new SecurityGroup(this, 'AgentSecurityGroup', {
      vpc: this.vpc,
      description: 'Agents: no ingress, egress by HTTPS alone',
      allowAllOutbound: false,
    })
    this.agents.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'AWS, and the repositories that agents fetch')
    if (isPrivate) this.addEndpoints()
  }

  private addEndpoints(): void {
    const description = 'Endpoints: HTTPS from agents, and from nobody else'
    const group = new SecurityGroup(this, 'EndpointSecurityGroup', {
      vpc: this.vpc,
      description,
      allowAllOutbound: false,
    })
    group.addIngressRule(this.agents, Port.tcp(443), description)
    for (const [id, service] of Object.entries(endpoints))
      this.vpc.addInterfaceEndpoint(id, { service, securityGroups: [group], open: false })
    this.vpc.addGatewayEndpoint('S3', { service: GatewayVpcEndpointAwsService.S3 })
  }
}
