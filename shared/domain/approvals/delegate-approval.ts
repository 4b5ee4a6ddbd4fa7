import type { Platform } from '../../platform/platform.ts'
import { actorOf, type Caller, stamp } from '../caller.ts'
import { orThrow } from '../domain-error.ts'
import type { Approval } from './approval.ts'
import { delegateApproval as delegate } from './approval-moves.ts'
import { changeApproval, getApproval } from './approval-store.ts'

export type DelegateCommand = { to: string; from?: string; comment?: string }

/** Passes an open approval on to somebody else. */
export const delegateApproval = async (
  ports: Pick<Platform, 'main' | 'clock' | 'random'>,
  caller: Caller,
  id: string,
  command: DelegateCommand,
): Promise<Approval> => {
  const start = await getApproval(ports, caller.tenant, id)
  const by = actorOf(caller)
  return changeApproval(ports, start, (approval) => {
    const next = orThrow(delegate(approval, { ...command, by, at: ports.clock.now() }))
    return next === approval ? approval : { ...next, stamp: stamp(caller, 'approval.delegate') }
  })
}
