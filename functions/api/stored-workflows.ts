import { loadBody } from '#shared/domain/bodies/body.ts'
import { isRefused } from '#shared/domain/domain-error.ts'
import { versionsFor, versionsIn, type Weights, type Workflow } from '#shared/domain/workflows/workflow.ts'
import { findWorkflow, getVersion, listWorkflows, workflowPk } from '#shared/domain/workflows/workflow-store.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { loadLanguage } from '#shared/workflow-language/loaded.ts'
import type { Start, StoredVersion, StoredWorkflow } from '#shared/workflow-language/validate/known.ts'

type Ports = Pick<Platform, 'main' | 'objects'>
type Room = { left: number }
type Stored = Map<string, StoredWorkflow & { versions: Map<string, StoredVersion> }>

/** So many names are looked at for one that somebody may have meant. */
const mostNames = 1000
/** So many definitions are read: of what is beyond them is known that it is there. */
const mostRead = 50

/**
 * Of what is started the workflows that there are, with those that they start in turn; when one is missing, others too,
 * of which one may be meant.
 */
export const storedWorkflowsOf = async (ports: Ports, tenant: string, starts: Start[]): Promise<Stored> => {
  const stored: Stored = new Map()
  const room = { left: mostRead }
  let open = distinct(starts)
  while (open.length > 0) {
    const next = await Promise.all(open.map((start) => addStart(ports, tenant, start, { stored, room })))
    open = room.left > 0 ? distinct(next.flat()).filter((start) => !isKnown(start, stored)) : []
  }
  if (starts.some(({ workflow }) => !stored.has(workflow))) await addOthers(ports, tenant, stored)
  return stored
}

const distinct = (starts: Start[]): Start[] => [
  ...new Map(starts.map((start) => [`${start.workflow} ${start.version ?? ''}`, start])).values(),
]

const isKnown = ({ workflow, version = '' }: Start, stored: Stored): boolean =>
  stored.get(workflow)?.versions.has(version) ?? false

/** Adds what is started; answers what that starts. */
const addStart = async (
  ports: Ports,
  tenant: string,
  { workflow, version: wanted }: Start,
  { stored, room }: { stored: Stored; room: Room },
): Promise<readonly Start[]> => {
  const found = await findWorkflow(ports, tenant, workflow)
  if (found === undefined) return []
  const entry = stored.get(workflow) ?? { has: versionsIn(found.value), versions: new Map() }
  stored.set(workflow, entry)
  const weights = versionsFor(found.value, wanted)
  if (isRefused(weights)) return []
  const version = await versionOf(ports, found.value, { weights, room })
  entry.versions.set(wanted ?? '', version)
  return version.starts
}

/** Where an alias leads to several versions, nothing is known of the one that a run takes. */
const versionOf = async (
  ports: Ports,
  { tenant, name }: Workflow,
  { weights, room }: { weights: Weights; room: Room },
): Promise<StoredVersion> => {
  const [only, ...others] = Object.keys(weights).filter((one) => Number(weights[one]) > 0)
  if (only === undefined || others.length > 0 || room.left <= 0) return { starts: [] }
  room.left -= 1
  const { source: body } = await getVersion(ports, tenant, name, Number(only))
  const [source, { readStored }] = await Promise.all([
    loadBody(ports, { tenant, pk: workflowPk(tenant, name), body }),
    loadLanguage(),
  ])
  return readStored(source)
}

const addOthers = async (ports: Ports, tenant: string, stored: Stored): Promise<void> => {
  const { items } = await listWorkflows(ports, tenant, { limit: mostNames })
  for (const { value } of items)
    if (!stored.has(value.name)) stored.set(value.name, { has: versionsIn(value), versions: new Map() })
}
