import type { RunRef } from '../platform.ts'
import { sqsName } from './sqs-name.ts'

/** `arn:<partition>:states:<region>:<account>:stateMachine:<prefix>`: what every machine's ARN begins with. */
export type MachinePrefix = string

type Workflow = Pick<RunRef, 'tenant' | 'workflow'>

/** A machine's name has 80 characters of those that a queue's name has; workflows are told apart by a digest in it. */
export const machineName = (prefix: string, { tenant, workflow }: Workflow): string =>
  sqsName(prefix, `${tenant}/${workflow}`)

export const machineArn = (arnPrefix: MachinePrefix, workflow: Workflow): string => {
  const at = arnPrefix.lastIndexOf(':') + 1
  return arnPrefix.slice(0, at) + machineName(arnPrefix.slice(at), workflow)
}

/** Each version has an alias of its own, which never moves; no alias of Step Functions may be a number. */
const aliasPrefix = 'v-'
export const versionAlias = (version: string): string => aliasPrefix + version
export const aliasArn = (arnPrefix: MachinePrefix, workflow: Workflow, version: string): string =>
  `${machineArn(arnPrefix, workflow)}:${versionAlias(version)}`

/** The version that an alias was made for; empty when it is none of ours. */
export const versionOfAlias = (arn: string | undefined): string => {
  const alias = arn?.split(':').at(-1) ?? ''
  return alias.startsWith(aliasPrefix) ? alias.slice(aliasPrefix.length) : ''
}

export const executionArn = (arnPrefix: MachinePrefix, { run, ...workflow }: RunRef): string =>
  `${machineArn(arnPrefix, workflow).replace(':stateMachine:', ':execution:')}:${run}`

/** The machine and the run that an execution's ARN names. */
export const parseExecutionArn = (arn: string): { machine: string; run: string } => {
  const at = arn.lastIndexOf(':')
  return { machine: arn.slice(0, at).replace(':execution:', ':stateMachine:'), run: arn.slice(at + 1) }
}

/** Tags by which a machine tells whose it is. */
export const machineTags = { tenant: 'devcycle:tenant', workflow: 'devcycle:workflow' } as const
