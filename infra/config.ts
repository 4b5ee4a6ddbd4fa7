export const stageNames = ['dev', 'staging', 'prod'] as const
export type Stage = (typeof stageNames)[number]

export type StageConfig = {
  /** Stateful stacks refuse to be deleted. */
  terminationProtection: boolean
  /** Days that logs are kept. */
  logDays: 7 | 30 | 90
  /** `public`: public subnets, no ingress, no NAT. `private`: isolated subnets and VPC endpoints (about $60 a month). */
  network: 'public' | 'private'
  /** Requests a second, and how many at once beyond that. */
  throttle: { rate: number; burst: number }
  /** Instances of each built-in agent at most. */
  maxInstances: number
  /** A domain of your own, on the TLS 1.3 policy; the certificate is in the same region. */
  domain?: { name: string; certificateArn: string }
  /** Where alarms go. */
  alarmEmail?: string
}

const base: StageConfig = {
  terminationProtection: true,
  logDays: 30,
  network: 'public',
  throttle: { rate: 500, burst: 1000 },
  maxInstances: 10,
}

/** One row a stage; everything that differs between them is here. */
export const stages = {
  dev: { ...base, terminationProtection: false, logDays: 7, throttle: { rate: 50, burst: 100 }, maxInstances: 2 },
  staging: base,
  prod: { ...base, logDays: 90, maxInstances: 50 },
} satisfies Record<Stage, StageConfig>

/** The built-in agents, as Fargate services: CPU units and MiB that Fargate offers together. */
export const builtInAgents = [
  { agent: 'code-reviewer', cpu: 1024, memoryMiB: 3072, slots: 2 },
  { agent: 'test-runner', cpu: 2048, memoryMiB: 4096, slots: 2 },
  { agent: 'release-notes', cpu: 512, memoryMiB: 1024, slots: 2 },
] as const

export const isStage = (name: unknown): name is Stage => stageNames.some((stage) => stage === name)
