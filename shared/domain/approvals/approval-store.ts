import type { Item, Key, Page, Platform, Put, Query, Stored } from '../../platform/platform.ts'
import { changeStored } from '../contention.ts'
import { dueIndex } from '../dispatch/due.ts'
import { DomainError } from '../domain-error.ts'
import { newRev } from '../ids.ts'
import { sortableTime } from '../keys.ts'
import { type Approval, isOpen } from './approval.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>

export const approvalKey = (tenant: string, id: string): Key => ({ pk: `${tenant}#approval#${id}`, sk: 'head' })

/** Partitions with a tenant's approvals: all of them, those that wait for a decision, those of one task. */
const listPk = (tenant: string): string => `${tenant}#approvals`
const openPk = (tenant: string): string => `${tenant}#open-approvals`
const ofTaskPk = (tenant: string, task: string): string => `${tenant}#approvals-of#${task}`

export const approvalItem = (approval: Approval): Item<Approval> => {
  const { tenant, id, task, requestedAt, dueAt } = approval
  const sk = `${sortableTime(requestedAt)}#${id}`
  return {
    ...approvalKey(tenant, id),
    type: 'approval',
    value: approval,
    index: {
      list: { pk: listPk(tenant), sk },
      ...(task !== undefined && { parent: { pk: ofTaskPk(tenant, task), sk } }),
      ...(isOpen(approval) && { holder: { pk: openPk(tenant), sk } }),
      ...(dueAt !== undefined && { due: dueIndex(dueAt, tenant, id) }),
    },
  }
}

export const findApproval = async (
  { main }: Pick<Platform, 'main'>,
  tenant: string,
  id: string,
): Promise<Stored<Approval> | undefined> => main.get<Approval>(approvalKey(tenant, id))

/** The approval, or `NOT_FOUND`. */
export const getApproval = async (
  ports: Pick<Platform, 'main'>,
  tenant: string,
  id: string,
): Promise<Stored<Approval>> => {
  const found = await findApproval(ports, tenant, id)
  if (found === undefined) throw new DomainError('NOT_FOUND', `there is no approval ${id}`)
  return found
}

/** The write that saves a changed approval if nobody else did. */
export const approvalWrite = (ports: Ports, before: Stored<Approval>, approval: Approval): Put => ({
  op: 'put',
  item: approvalItem(approval),
  expect: { rev: before.rev },
  rev: newRev(ports),
})

/** Changes and saves with compare-and-swap; the same object means that there is nothing to save. */
export const changeApproval = async (
  ports: Ports,
  start: Stored<Approval>,
  change: (approval: Approval) => Approval,
): Promise<Approval> => {
  const place = { table: ports.main, start, what: `approval ${start.value.id}` }
  return (await changeStored(ports, place, change, approvalItem)).value
}

export type ApprovalPlace = { open: boolean; task?: string }

/** A page of approvals, newest first. */
export const pageOfApprovals = (
  { main }: Pick<Platform, 'main'>,
  tenant: string,
  { open, task, ...range }: ApprovalPlace & { limit: number; cursor?: string },
): Promise<Page<Approval>> => {
  const place = (): Pick<Query, 'index' | 'pk'> => {
    if (task !== undefined) return { index: 'parent', pk: ofTaskPk(tenant, task) }
    return open ? { index: 'holder', pk: openPk(tenant) } : { index: 'list', pk: listPk(tenant) }
  }
  return main.query<Approval>({ ...place(), order: 'descending', ...range })
}
