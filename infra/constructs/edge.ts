import { Duration } from 'aws-cdk-lib'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import type { SettingsEnvironment } from '#shared/platform/aws/settings.ts'
import { builtInAgents, type StageProps } from '../config.ts'
import { clusterName, serviceName } from '../names.ts'
import type { DataStack } from '../stacks/data-stack.ts'
import type { PlatformFunctionProps } from './platform-function.ts'

/** A function, and what it works on. */
export interface EdgeProps extends PlatformFunctionProps {
  readonly prefix: string
  readonly data: DataStack
}

/** What rules put aside that they cannot deliver. */
export interface RuledEdgeProps extends EdgeProps {
  readonly undelivered: IQueue
}

/** For what nobody waits for at the other end of an HTTP request. */
export const unhurried = { timeout: Duration.minutes(1) }

export interface EdgeSettings extends StageProps {
  readonly data: DataStack
  /** Where clients open sockets. */
  readonly socketUrl: string
  /** What the ARN of every state machine of workflows begins with. */
  readonly machinePrefix: string
  /** First half of every fence. */
  readonly generation: string
}

/** Gives every function the same settings, and a name after its folder. */
export const edgesOf =
  (settings: EdgeSettings) =>
  (folder: string, more: Partial<PlatformFunctionProps> = {}): EdgeProps => {
    const { prefix, config, data } = settings
    const functionName = `${prefix}-${folder}`
    const environment = environmentOf(settings, functionName)
    return { folder, functionName, environment, logDays: config.logDays, prefix, data, ...more }
  }

const environmentOf = (settings: EdgeSettings, service: string): SettingsEnvironment => {
  const { stage, prefix, data, config, socketUrl, machinePrefix, generation } = settings
  const hosted = builtInAgents.map(({ agent, slots }) => ({
    agent,
    service: `${clusterName(prefix)}/${serviceName(prefix, agent)}`,
    slots,
    max: config.maxInstances,
  }))
  return {
    STAGE: stage,
    MAIN_TABLE: data.main.tableName,
    VOLATILE_TABLE: data.volatile.tableName,
    OBJECTS_BUCKET: data.objects.bucketName,
    EVENT_BUS_NAME: data.bus.eventBusName,
    QUEUE_PREFIX: prefix,
    WEBSOCKET_URL: socketUrl,
    TASK_DEAD_LETTER_ARN: data.undeliverable.queueArn,
    STATE_MACHINE_PREFIX: machinePrefix,
    DEPLOYER_FUNCTION: `${prefix}-deployer`,
    WORKFLOW_ROLE_ARN: data.workflowRole.roleArn,
    STEPS_QUEUE_URL: data.steps.queue.queueUrl,
    GENERATION: generation,
    SERVICE_NAME: service,
    EGRESS_ALLOW: (config.egressAllow ?? []).join(','),
    HOSTED_AGENTS: JSON.stringify(hosted),
  }
}
