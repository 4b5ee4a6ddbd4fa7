import {
  CreateStateMachineAliasCommand,
  type CreateStateMachineAliasCommandInput,
  CreateStateMachineCommand,
  DescribeStateMachineAliasCommand,
  type SFNClient,
  UpdateStateMachineCommand,
} from '@aws-sdk/client-sfn'
import type { WorkflowDefinition } from '../platform.ts'
import { PlatformError } from '../platform-error.ts'
import { boundedJson, checkNames, definitionText } from '../workflow-rules.ts'
import { isNamed, translated } from './aws-error.ts'
import { aliasArn, type MachinePrefix, machineArn, machineTags, versionAlias } from './state-machine-names.ts'
import { dropOldestAlias, dropOldestVersion, withRoom } from './state-machine-room.ts'

export type MachineOptions = {
  client: SFNClient
  arnPrefix: MachinePrefix
  /** What machines act as. */
  roleArn: string
  /** Where commands of steps go. */
  stepsQueueUrl: string
  /** Of every machine, beside its own. */
  tags: Record<string, string>
}

const missing = ['ResourceNotFound', 'StateMachineDoesNotExist']
/** Of an alias that is not there, also when nothing of its machine is. */
const missingAlias = [...missing, 'ValidationException']

/** Step Functions takes 1 MB a request, of which the definition is a text in JSON; the rest is for what is around it. */
const maxRequestBytes = 1024 * 1024 - 8 * 1024

/** Publishes versions of machines: each behind an alias of its name, so that a start needs nothing but the name. */
export const createMachineVersions = (options: MachineOptions) => {
  const { client, arnPrefix, roleArn, stepsQueueUrl, tags } = options

  const isThere = async ({ version, asl: _, ...workflow }: WorkflowDefinition): Promise<boolean> => {
    checkNames({ ...workflow, version })
    const command = new DescribeStateMachineAliasCommand({
      stateMachineAliasArn: aliasArn(arnPrefix, workflow, version),
    })
    try {
      await translated('a version of a workflow', () => client.send(command))
      return true
    } catch (error) {
      if (isNamed(error, ...missingAlias)) return false
      throw error
    }
  }
  const update = async (workflow: WorkflowDefinition, definition: string): Promise<string> => {
    const command = new UpdateStateMachineCommand({
      stateMachineArn: machineArn(arnPrefix, workflow),
      definition,
      roleArn,
      publish: true,
      versionDescription: workflow.version,
    })
    const { stateMachineVersionArn = '' } = await withRoom(
      () => translated('a change of a state machine', () => client.send(command)),
      () => dropOldestVersion(client, machineArn(arnPrefix, workflow)),
    )
    return stateMachineVersionArn
  }
  const create = async (workflow: WorkflowDefinition, definition: string): Promise<string> => {
    const all = { ...tags, [machineTags.tenant]: workflow.tenant, [machineTags.workflow]: workflow.workflow }
    const command = new CreateStateMachineCommand({
      name: machineArn(arnPrefix, workflow).split(':').at(-1),
      definition,
      roleArn,
      type: 'STANDARD',
      publish: true,
      versionDescription: workflow.version,
      tags: Object.entries(all).map(([key, value]) => ({ key, value })),
    })
    return (await translated('a new state machine', () => client.send(command))).stateMachineVersionArn ?? ''
  }
  /** Somebody else may make the machine at the same time. */
  const publish = async (workflow: WorkflowDefinition, definition: string): Promise<string> => {
    try {
      return await update(workflow, definition)
    } catch (error) {
      if (!isNamed(error, ...missing)) throw error
    }
    return create(workflow, definition).catch((error: unknown) =>
      isNamed(error, 'StateMachineAlreadyExists') ? update(workflow, definition) : Promise.reject(error),
    )
  }
  const name = async (input: CreateStateMachineAliasCommandInput): Promise<void> => {
    await translated('a version of a workflow', () => client.send(new CreateStateMachineAliasCommand(input)))
  }
  const nameVersion = async (workflow: WorkflowDefinition, stateMachineVersionArn: string): Promise<void> => {
    const input = {
      name: versionAlias(workflow.version),
      routingConfiguration: [{ stateMachineVersionArn, weight: 100 }],
    }
    try {
      await withRoom(
        () => name(input),
        () => dropOldestAlias(client, machineArn(arnPrefix, workflow)),
      )
    } catch (error) {
      if (!isNamed(error, 'ConflictException')) throw error // else somebody else has just named it
    }
  }

  return {
    /** Whether a version has its alias. */
    isThere,
    /** Idempotent: a version that is there stays as it is. */
    async deploy(workflow: WorkflowDefinition): Promise<void> {
      const definition = definitionText(workflow, stepsQueueUrl)
      boundedJson(definition, 'the definition as a text in a request', maxRequestBytes)
      if (await isThere(workflow)) return
      try {
        await nameVersion(workflow, await publish(workflow, definition))
      } catch (error) {
        if (!isNamed(error, 'InvalidDefinition', 'ValidationException')) throw error
        throw new PlatformError('INVALID', `Step Functions refuses the definition: ${(error as Error).message}`, {
          cause: error,
        })
      }
    },
  }
}

export type MachineVersions = ReturnType<typeof createMachineVersions>
