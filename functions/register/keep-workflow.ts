import { digest } from '#shared/domain/ids.ts'
import { changeAliases, saveWorkflow } from '#shared/domain/workflows/save-workflow.ts'
import { defaultAlias, type Workflow } from '#shared/domain/workflows/workflow.ts'
import { findWorkflow, getVersion } from '#shared/domain/workflows/workflow-store.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { compileWorkflow } from '#shared/workflow-language/compile/compile-workflow.ts'
import { validate } from '#shared/workflow-language/validate/validate.ts'

type Ports = Pick<Platform, 'main' | 'objects' | 'workflows' | 'clock' | 'random'>

export type ShippedWorkflow = {
  source: string
  /** Percent of the runs that name no version that the latest version gets, the one before the rest. @default aliases stay as they are */
  share?: number
}

const actor = 'shipped'

/** Stores a workflow that comes with the product; one that somebody has stored under its name is left alone. */
export const keepWorkflow = async (ports: Ports, tenant: string, { source, share }: ShippedWorkflow): Promise<void> => {
  const { definition, problems } = validate(source)
  if (definition === undefined) throw new Error(`a workflow that ships is not valid: ${problems[0]?.message}`)
  const { workflow: name, description } = definition
  const before = (await findWorkflow(ports, tenant, name))?.value
  if (before && before.stamp.request !== actor) return
  const caller = { tenant, principal: { kind: 'anyone' as const }, requestId: actor }
  const save = () => saveWorkflow(ports, caller, { name, description, source, compiled: compileWorkflow(definition) })
  const { latest } = before && (await isKept(ports, before, source)) ? before : (await save()).workflow
  if (share !== undefined && latest > 1)
    await changeAliases(ports, caller, name, { aliases: { [defaultAlias]: sharedBetween(latest - 1, latest, share) } })
}

const isKept = async (ports: Ports, { tenant, name, latest }: Workflow, source: string): Promise<boolean> =>
  (await getVersion(ports, tenant, name, latest)).digest === digest(source)

const sharedBetween = (before: number, now: number, share: number) => ({
  ...(share < 100 && { [before]: 100 - share }),
  ...(share > 0 && { [now]: share }),
})
