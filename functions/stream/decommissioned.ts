import type { Agent } from '#shared/domain/agents/agent.ts'
import type { Item, Key, Platform } from '#shared/platform/platform.ts'

const nameKey = (tenant: string, name: string): Key => ({ pk: `${tenant}#decommissioned#${name}`, sk: 'name' })

/** Remembers that an agent of this name was decommissioned: its own name item is gone with it. */
export const decommissionedItem = ({ tenant, name, id, stamp }: Agent): Item => ({
  ...nameKey(tenant, name),
  type: 'decommissioned',
  value: { agent: id, stamp },
})

/** Whether some agent of this name was decommissioned; another may have the name by now. */
export const wasDecommissioned = async (
  { main }: Pick<Platform, 'main'>,
  tenant: string,
  name: string,
): Promise<boolean> => (await main.get(nameKey(tenant, name))) !== undefined
