import { ListTagsForResourceCommand, type SFNClient } from '@aws-sdk/client-sfn'
import type { RunEnd } from '../platform.ts'
import { translated } from './aws-error.ts'
import { machineTags, parseExecutionArn } from './state-machine-names.ts'

/** The detail of EventBridge's "Step Functions Execution Status Change". */
export type StatusChange = { executionArn: string; status: string }

const ends = ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'] as const

/** Reads whose run has ended from what EventBridge tells: a machine's tags name its tenant and workflow. */
export const createRunEnds = ({ client }: { client: SFNClient }) => {
  const known = new Map<string, { tenant: string; workflow: string }>()
  const ownerOf = async (machine: string): Promise<{ tenant: string; workflow: string } | undefined> => {
    const owner = known.get(machine)
    if (owner) return owner
    const command = new ListTagsForResourceCommand({ resourceArn: machine })
    const { tags = [] } = await translated('the tags of a state machine', () => client.send(command))
    const tagged = (name: string): string | undefined => tags.find(({ key }) => key === name)?.value
    const [tenant, workflow] = [tagged(machineTags.tenant), tagged(machineTags.workflow)]
    if (tenant === undefined || workflow === undefined) return undefined
    known.set(machine, { tenant, workflow })
    return { tenant, workflow }
  }
  return async ({ executionArn, status }: StatusChange): Promise<RunEnd | undefined> => {
    const end = ends.find((one) => one === status)
    const { machine, run } = parseExecutionArn(executionArn)
    const owner = end && (await ownerOf(machine))
    return owner && { ...owner, run, status: end }
  }
}
