import type { Change } from '../../platform/platform.ts'
import type { ApiKey } from '../access/api-key.ts'
import type { Principal } from '../caller.ts'
import type { Instance } from '../instances/instance.ts'
import { sideBySide } from '../side-by-side.ts'
import { listConnections } from './connection-store.ts'
import { leave, type TellPorts } from './tell.ts'

type Holder = { tenant: string; principal: Extract<Principal, { kind: 'key' | 'instance' }>['id'] }

/** https://developer.mozilla.org/docs/Web/API/CloseEvent/code: against the rules. */
const policyViolation = 1008
const pageSize = 200
const width = 16

/** Whose key or token this change has ended, if it has. */
const endedBy = ({ type, before, after }: Change): Holder | undefined => {
  if (type === 'instance') {
    const [was, is] = [before?.value, after?.value] as (Instance | undefined)[]
    const isOver = is?.detail === 'LEFT' && was?.detail !== 'LEFT'
    return isOver ? { tenant: is.tenant, principal: is.id } : undefined
  }
  const [was, is] = [before?.value, after?.value] as (ApiKey | undefined)[]
  const isReplaced = was !== undefined && is?.hash !== was.hash
  const holder = is ?? was
  if (holder === undefined || !(isReplaced || is?.revokedAt !== undefined)) return undefined
  return { tenant: holder.tenant, principal: holder.id }
}

/** Closes the connections of whoever may be there no more: a key that was revoked or replaced, an instance that left. */
export const closeConnections = async (ports: TellPorts, change: Change): Promise<void> => {
  const holder = endedBy(change)
  if (holder === undefined) return
  let cursor: string | undefined
  do {
    const page = await listConnections(ports, holder.tenant, { limit: pageSize, cursor })
    const theirs = page.items.filter(
      ({ value: { principal } }) => 'id' in principal && principal.id === holder.principal,
    )
    await sideBySide(theirs, width, async ({ value: { id } }) => {
      await ports.realtime.close(id, { code: policyViolation, reason: 'its key or token is over' })
      await leave(ports, id)
    })
    cursor = page.cursor
  } while (cursor !== undefined)
}
