import { readdirSync, readFileSync } from 'node:fs'
import { digest } from '#shared/domain/ids.ts'
import { saveWorkflow } from '#shared/domain/workflows/save-workflow.ts'
import { findWorkflow, getVersion } from '#shared/domain/workflows/workflow-store.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { compileWorkflow } from '#shared/workflow-language/compile/compile-workflow.ts'
import { validate } from '#shared/workflow-language/validate/validate.ts'

const folder = new URL('../../workflows/', import.meta.url)
const actor = 'shipped'

/** Stores the workflows that come with the product; one that somebody has stored under such a name is left alone. */
export const keepShippedWorkflows = async (platform: Platform, tenant: string): Promise<void> => {
  const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'))
  await Promise.all(files.map((file) => keepOne(platform, tenant, file)))
}

const keepOne = async (platform: Platform, tenant: string, file: string): Promise<void> => {
  const source = readFileSync(new URL(file, folder), 'utf8')
  if (await isKept(platform, tenant, { name: file.replace(/\.yaml$/, ''), source })) return
  const { definition } = validate(source)
  if (definition === undefined) throw new Error(`${file} comes with the product and is not valid`)
  const { workflow: name, description } = definition
  const caller = { tenant, principal: { kind: 'anyone' as const }, requestId: actor }
  await saveWorkflow(platform, caller, { name, description, source, compiled: compileWorkflow(definition) })
}

const isKept = async (
  platform: Platform,
  tenant: string,
  { name, source }: { name: string; source: string },
): Promise<boolean> => {
  const before = (await findWorkflow(platform, tenant, name))?.value
  if (before === undefined) return false
  if (before.stamp.request !== actor) return true
  return (await getVersion(platform, tenant, name, before.latest)).digest === digest(source)
}
