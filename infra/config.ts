import type { StackProps } from 'aws-cdk-lib'

export const stageNames = ['dev', 'staging', 'prod'] as const
export type Stage = (typeof stageNames)[number]

export interface StageConfig {
  /** Days that logs are kept. */
  readonly logDays: 7 | 30 | 90
  /**
   * `public`: public subnets, no ingress, no NAT; agents fetch repositories from anywhere.
   * `private`: isolated subnets and VPC endpoints, about $73 a month; agents see the repositories that were uploaded.
   */
  readonly network: 'public' | 'private'
  /** Requests a second, and how many at once beyond that. */
  readonly throttle: { readonly rate: number; readonly burst: number }
  /** Instances of each built-in agent at most. */
  readonly maxInstances: number
  /** Metrics of every service and container: about $0.30 each and month, also at rest. */
  readonly containerInsights: boolean
  /** Targets of webhooks that may be called although they are not public. */
  readonly egressAllow?: readonly string[]
  /**
   * Percent of new runs that the latest version of a workflow that ships gets, the version before it the rest.
   * @default runs take the latest, or what somebody has set the alias `live` of the workflow to
   */
  readonly workflowShare?: number
  /** A domain of your own; its certificate is in the same region. */
  readonly domain?: { readonly name: string; readonly certificateArn: string }
  /** Who is told of alarms; AWS asks the address to confirm. */
  readonly alarmEmail?: string
}

/** What every stack is told. */
export interface StageProps extends StackProps {
  readonly stage: Stage
  /** Of every name that is looked up while the platform runs. */
  readonly prefix: string
  readonly config: StageConfig
}

const base: StageConfig = {
  logDays: 30,
  network: 'public',
  throttle: { rate: 500, burst: 1000 },
  maxInstances: 10,
  containerInsights: false,
}

/**
 * One row a stage; everything that differs between them is here.
 *
 * At rest only the sweep runs, once a minute. A month of it (us-east-1): functions $0.06, DynamoDB $0.07, logs $0.02,
 * SQS $0.73 (1.8 million polls and counts, the first million of an account is free), traces $0.22 (the first 100,000
 * are free), ten alarms $1 and a dashboard $3 (the first ten, and the first three, are free). Within what AWS gives
 * every account for ever that is about $0.50; agents at rest are not running and cost nothing.
 */
export const stages = {
  dev: { ...base, logDays: 7, throttle: { rate: 50, burst: 100 }, maxInstances: 2 },
  staging: base,
  prod: { ...base, logDays: 90, maxInstances: 50, containerInsights: true },
} satisfies Record<Stage, StageConfig>

/**
 * The built-in agents, as Fargate services: CPU units and MiB that Fargate offers together. The memory is what all slots
 * may take at once, by the `memoryMb` of the agent (1024 unless it says otherwise), and 256 MiB for the runner.
 */
export const builtInAgents = [
  { agent: 'code-reviewer', cpu: 1024, memoryMiB: 3072, slots: 2 },
  { agent: 'test-runner', cpu: 1024, memoryMiB: 5120, slots: 1 },
  { agent: 'release-notes', cpu: 512, memoryMiB: 3072, slots: 2 },
] as const

export const isStage = (name: unknown): name is Stage => stageNames.some((stage) => stage === name)
