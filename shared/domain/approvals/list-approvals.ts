import type { Platform } from '../../platform/platform.ts'
import { type Approval, type ApprovalState, isOpen } from './approval.ts'
import { pageOfApprovals } from './approval-store.ts'

export type ApprovalFilter = { state?: ApprovalState; task?: string }

/** So many are looked at for one page: a rare state gives short pages, never a slow one. */
const maxExamined = 2000

/** The inbox, newest first. */
export const listApprovals = async (
  ports: Pick<Platform, 'main'>,
  tenant: string,
  { state, task, limit, cursor }: ApprovalFilter & { limit: number; cursor?: string },
): Promise<{ items: Approval[]; cursor?: string }> => {
  const place = { open: state !== undefined && isOpen({ state }), task }
  const items: Approval[] = []
  let next = cursor
  let examined = 0
  do {
    const room = limit - items.length
    const page = await pageOfApprovals(ports, tenant, { ...place, limit: room, cursor: next })
    items.push(...page.items.map(({ value }) => value).filter((one) => state === undefined || one.state === state))
    next = page.cursor
    examined += room
  } while (next !== undefined && items.length < limit && examined < maxExamined)
  return { items, cursor: next }
}
