import {
  DeleteStateMachineAliasCommand,
  DeleteStateMachineVersionCommand,
  ListStateMachineAliasesCommand,
  ListStateMachineVersionsCommand,
  type SFNClient,
} from '@aws-sdk/client-sfn'
import { isNamed, translated } from './aws-error.ts'
import { versionOfAlias } from './state-machine-names.ts'

/** Does something that a quota may be in the way of: once more when there is room. */
export const withRoom = async <T>(call: () => Promise<T>, makeRoom: () => Promise<void>): Promise<T> => {
  try {
    return await call()
  } catch (error) {
    if (!isNamed(error, 'ServiceQuotaExceededException')) throw error
  }
  await makeRoom()
  return call()
}

/** Step Functions keeps 100 aliases of a machine: the oldest of a version makes room. */
export const dropOldestAlias = async (client: SFNClient, stateMachineArn: string): Promise<void> => {
  const list = new ListStateMachineAliasesCommand({ stateMachineArn, maxResults: 1000 })
  const { stateMachineAliases = [] } = await translated('the versions of a workflow', () => client.send(list))
  const ours = stateMachineAliases.filter((one) => versionOfAlias(one.stateMachineAliasArn) !== '')
  const [oldest] = ours.toSorted((a, b) => Number(a.creationDate) - Number(b.creationDate))
  const drop = new DeleteStateMachineAliasCommand({ stateMachineAliasArn: oldest?.stateMachineAliasArn })
  await translated('the removal of an old version', () => client.send(drop))
}

/**
 * Step Functions keeps 1,000 versions of a machine and tells them newest first: the oldest that no alias has makes room.
 * What runs on it goes on.
 */
export const dropOldestVersion = async (client: SFNClient, stateMachineArn: string): Promise<void> => {
  const list = new ListStateMachineVersionsCommand({ stateMachineArn, maxResults: 1000 })
  const { stateMachineVersions = [] } = await translated('the versions of a workflow', () => client.send(list))
  for (const { stateMachineVersionArn } of stateMachineVersions.toReversed())
    if (await isDropped(client, stateMachineVersionArn)) return
}

/** One that an alias has is in conflict with that. */
const isDropped = async (client: SFNClient, stateMachineVersionArn: string | undefined): Promise<boolean> => {
  const drop = new DeleteStateMachineVersionCommand({ stateMachineVersionArn })
  try {
    await translated('the removal of an old version', () => client.send(drop))
    return true
  } catch (error) {
    if (isNamed(error, 'ConflictException')) return false
    throw error
  }
}
