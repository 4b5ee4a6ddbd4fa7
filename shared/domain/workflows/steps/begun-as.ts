import { idFromKey } from '../../ids.ts'
import type { Run, RunStep } from '../run.ts'
import type { Asked } from './step-command.ts'

type Begun = Partial<Pick<RunStep, 'task' | 'approval' | 'child' | 'batch' | 'message' | 'subscription'>>

/** What the command of a step begins, whenever it comes: known before anybody has noted it. */
export const begunAs = ({ id: run, tenant }: Run, { id, step }: Asked): Begun => {
  const key = `${run} ${id}`
  const task = () => ({ task: idFromKey('tsk', tenant, key) })
  const rows: Record<string, () => Begun> = {
    task,
    batch: task,
    rows: () => ({ batch: idFromKey('bat', tenant, key) }),
    request: () => ({ message: idFromKey('msg', tenant, key) }),
    approval: () => ({ approval: idFromKey('apr', tenant, key) }),
    subWorkflow: () => ({ child: idFromKey('run', tenant, `${step.workflow} ${key}`) }),
    waitForEvent: () => ({ subscription: idFromKey('sub', tenant, key) }),
  }
  return rows[step.kind]?.() ?? {}
}
