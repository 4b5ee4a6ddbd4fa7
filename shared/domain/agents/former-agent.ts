import type { Item, Key, Platform } from '../../platform/platform.ts'
import type { Agent } from './agent.ts'

const formerKey = (tenant: string, name: string): Key => ({ pk: `${tenant}#decommissioned#${name}`, sk: 'name' })

/** Remembers who had a name when it was decommissioned: its own name item is gone with it. */
export const formerItem = ({ tenant, name, id, stamp }: Agent): Item => ({
  ...formerKey(tenant, name),
  type: 'decommissioned',
  value: { agent: id, stamp },
})

/** The id of the last agent of this name that was decommissioned, if one was; another may have the name by now. */
export const formerAgent = async (
  { main }: Pick<Platform, 'main'>,
  tenant: string,
  name: string,
): Promise<string | undefined> => (await main.get<{ agent: string }>(formerKey(tenant, name)))?.value.agent
