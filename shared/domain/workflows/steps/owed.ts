import type { Platform } from '../../../platform/platform.ts'
import type { Run, RunStep } from '../run.ts'
import type { CompiledWorkflow } from '../workflow.ts'
import { getVersion, loadCompiled } from '../workflow-store.ts'

/** What runs of the version of a run have to know. */
export const compiledOf = async (
  ports: Pick<Platform, 'main' | 'objects'>,
  { tenant, workflow, version }: Run,
): Promise<CompiledWorkflow> => loadCompiled(ports, await getVersion(ports, tenant, workflow, version))

type Asking = Pick<RunStep, 'kind' | 'name' | 'token'>

/**
 * Whether a step is done although its run has ended meanwhile: its machine has sent it, and did not wait. What has to be
 * undone in a run that does not succeed is not: nobody would know of it.
 */
export const isOwed = ({ undone }: CompiledWorkflow, { kind, name, token }: Asking): boolean =>
  token === undefined && kind !== 'abandon' && !undone.includes(name)
