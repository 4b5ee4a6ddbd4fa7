import type { Item, Key, Page, Platform, Stored, Write } from '../../platform/platform.ts'
import { loadBody } from '../bodies/body.ts'
import { DomainError } from '../domain-error.ts'
import type { Run } from './run.ts'
import type { CompiledWorkflow, Workflow, WorkflowVersion } from './workflow.ts'

type Reading = Pick<Platform, 'main'>

export const workflowPk = (tenant: string, name: string): string => `${tenant}#workflow#${name}`
const workflowKey = (tenant: string, name: string): Key => ({ pk: workflowPk(tenant, name), sk: 'head' })
const versionPrefix = 'version#'
const versionKey = (tenant: string, name: string, version: number): Key => ({
  pk: workflowPk(tenant, name),
  sk: `${versionPrefix}${String(version).padStart(8, '0')}`,
})
const listPk = (tenant: string): string => `${tenant}#workflows`

export const workflowItem = (workflow: Workflow): Item<Workflow> => ({
  ...workflowKey(workflow.tenant, workflow.name),
  type: 'workflow',
  value: workflow,
  index: { list: { pk: listPk(workflow.tenant), sk: workflow.name } },
})

/** A new version; one that is there stays as it is. */
export const versionWrite = (version: WorkflowVersion): Write => ({
  op: 'put',
  item: { ...versionKey(version.tenant, version.name, version.version), type: 'definition', value: version },
  expect: 'absent',
})

export const findWorkflow = ({ main }: Reading, tenant: string, name: string): Promise<Stored<Workflow> | undefined> =>
  main.get<Workflow>(workflowKey(tenant, name))

/** The workflow, or `NOT_FOUND`. */
export const getWorkflow = async (ports: Reading, tenant: string, name: string): Promise<Stored<Workflow>> => {
  const found = await findWorkflow(ports, tenant, name)
  if (found === undefined) throw new DomainError('NOT_FOUND', `there is no workflow ${name}`)
  return found
}

/** One version of a workflow, or `NOT_FOUND`. */
export const getVersion = async (
  { main }: Reading,
  tenant: string,
  name: string,
  version: number,
): Promise<WorkflowVersion> => {
  const found = await main.get<WorkflowVersion>(versionKey(tenant, name, version))
  if (found === undefined) throw new DomainError('NOT_FOUND', `workflow ${name} has no version ${version}`)
  return found.value
}

export const loadCompiled = async (
  ports: Pick<Platform, 'main' | 'objects'>,
  { tenant, name, compiled }: WorkflowVersion,
): Promise<CompiledWorkflow> =>
  (await loadBody(ports, { tenant, pk: workflowPk(tenant, name), body: compiled })) as CompiledWorkflow

/** What a run runs on. */
export const loadCompiledOf = async (
  ports: Pick<Platform, 'main' | 'objects'>,
  { tenant, workflow, version }: Pick<Run, 'tenant' | 'workflow' | 'version'>,
): Promise<CompiledWorkflow> => loadCompiled(ports, await getVersion(ports, tenant, workflow, version))

type Range = { limit: number; cursor?: string }

/** By name. */
export const listWorkflows = ({ main }: Reading, tenant: string, range: Range): Promise<Page<Workflow>> =>
  main.query<Workflow>({ index: 'list', pk: listPk(tenant), ...range })

/** Newest first. */
export const listVersions = (
  { main }: Reading,
  tenant: string,
  name: string,
  range: Range,
): Promise<Page<WorkflowVersion>> =>
  main.query<WorkflowVersion>({ pk: workflowPk(tenant, name), prefix: versionPrefix, order: 'descending', ...range })
