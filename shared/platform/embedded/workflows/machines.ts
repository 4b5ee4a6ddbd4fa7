import { LRUCache } from 'lru-cache'
import { idOfKey } from '../../id-of-key.ts'
import type { RunRef, WorkflowDefinition } from '../../platform.ts'
import { PlatformError } from '../../platform-error.ts'
import { definitionText } from '../../workflow-rules.ts'
import type { Machine } from './asl.ts'
import type { RunTable } from './run-store.ts'

type Version = Pick<WorkflowDefinition, 'tenant' | 'workflow' | 'version'>

const keyOf = ({ tenant, workflow, version }: Version) => ({ pk: `${tenant}#machine#${workflow}`, sk: version })
/** Stands for the queue of commands on this host, which has none. */
const stepsQueueUrl = 'steps'

/** The machines of workflows, by version; what is deployed never changes. */
export const createMachines = (table: RunTable) => {
  const known = new LRUCache<string, Machine>({ max: 500 })

  const find = async (version: Version): Promise<Machine | undefined> => {
    const key = keyOf(version)
    const id = idOfKey(key)
    const machine = known.get(id) ?? (await table.get<Machine>(key))?.value
    if (machine) known.set(id, machine)
    return machine
  }
  return {
    async deploy(definition: WorkflowDefinition): Promise<void> {
      const machine = JSON.parse(definitionText(definition, stepsQueueUrl)) as Machine
      if (typeof machine?.StartAt !== 'string' || machine.States?.[machine.StartAt] === undefined)
        throw new PlatformError('INVALID', 'a definition has StartAt, and States with that one among them')
      const item = { ...keyOf(definition), type: 'machine', value: machine }
      await table.writeTogether([{ op: 'put', item, expect: 'absent' }])
    },
    async get(run: RunRef & { version: string }): Promise<Machine> {
      const machine = await find(run)
      if (machine) return machine
      throw new PlatformError('INVALID', `workflow ${run.workflow} has no version ${run.version}; deploy it first`)
    },
  }
}
