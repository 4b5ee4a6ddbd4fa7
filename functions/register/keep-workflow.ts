import type { Caller } from '#shared/domain/caller.ts'
import { digest } from '#shared/domain/ids.ts'
import { changeAliases, saveWorkflow } from '#shared/domain/workflows/save-workflow.ts'
import { defaultAlias, type Workflow } from '#shared/domain/workflows/workflow.ts'
import { findWorkflow, getVersion } from '#shared/domain/workflows/workflow-store.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { loadLanguage } from '#shared/workflow-language/loaded.ts'

type Ports = Pick<Platform, 'main' | 'objects' | 'workflows' | 'clock' | 'random'>

export type ShippedWorkflow = {
  name: string
  source: string
  /** Percent of the runs that name no version that the latest version gets, the one before the rest. @default aliases stay as they are */
  share?: number
}

const actor = 'shipped'

/** Stores a workflow that comes with the product; one that somebody has stored under its name is left alone. */
export const keepWorkflow = async (ports: Ports, tenant: string, shipped: ShippedWorkflow): Promise<void> => {
  const { name, source, share } = shipped
  const before = (await findWorkflow(ports, tenant, name))?.value
  if (before && before.stamp.request !== actor) return
  const { latest } = before && (await isKept(ports, before, source)) ? before : await save(ports, tenant, shipped)
  if (share !== undefined && latest > 1)
    await changeAliases(ports, callerIn(tenant), name, {
      aliases: { [defaultAlias]: sharedBetween(latest - 1, latest, share) },
    })
}

const callerIn = (tenant: string): Caller => ({ tenant, principal: { kind: 'anyone' }, requestId: actor })

const save = async (ports: Ports, tenant: string, { name, source }: ShippedWorkflow): Promise<Workflow> => {
  const { validate, compileWorkflow } = await loadLanguage()
  const { definition, problems } = validate(source)
  if (definition?.workflow !== name)
    throw new Error(`workflow ${name} ships and is not valid: ${problems[0]?.message ?? 'it has another name'}`)
  const command = { name, description: definition.description, source, compiled: compileWorkflow(definition) }
  return (await saveWorkflow(ports, callerIn(tenant), command)).workflow
}

const isKept = async (ports: Ports, { tenant, name, latest }: Workflow, source: string): Promise<boolean> =>
  (await getVersion(ports, tenant, name, latest)).digest === digest(source)

const sharedBetween = (before: number, now: number, share: number) => ({
  ...(share < 100 && { [before]: 100 - share }),
  ...(share > 0 && { [now]: share }),
})
