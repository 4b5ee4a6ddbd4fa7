import type { OperationOf } from '#shared/contracts/operations.ts'
import type { Definition } from '#shared/contracts/workflows/definition.ts'
import type { WorkflowResponse } from '#shared/contracts/workflows.ts'
import { loadBody } from '#shared/domain/bodies/body.ts'
import { DomainError, invalid } from '#shared/domain/domain-error.ts'
import { changeAliases, saveWorkflow } from '#shared/domain/workflows/save-workflow.ts'
import { isVersionNumber, type Workflow, type WorkflowVersion } from '#shared/domain/workflows/workflow.ts'
import {
  getVersion,
  getWorkflow,
  listVersions,
  listWorkflows,
  workflowPk,
} from '#shared/domain/workflows/workflow-store.ts'
import type { Platform, Stored } from '#shared/platform/platform.ts'
import { loadLanguage } from '#shared/workflow-language/loaded.ts'
import type { Problem } from '#shared/workflow-language/problem.ts'
import type { Known } from '#shared/workflow-language/validate/known.ts'
import type { Validated } from '#shared/workflow-language/validate/validate.ts'
import { ifMatch, iso, toETag } from '../../headers.ts'
import { knownOf } from '../../known-of.ts'
import type { Handler } from '../../operation.ts'

type Given = string | Record<string, unknown>

const check = async (definition: Given, known?: Known): Promise<Validated> =>
  (await loadLanguage()).validate(typeof definition === 'string' ? definition : { value: definition }, known)

/** The same with what the tenant has: its agents, who offers what, and its workflows. */
const checkHere = async (platform: Platform, tenant: string, given: Given): Promise<Validated> => {
  const { definition, problems } = await check(given)
  if (definition === undefined) return { problems }
  const { namedBy } = await loadLanguage()
  return check(given, await knownOf(platform, tenant, namedBy(definition)))
}

const isFailing = (strict: boolean | undefined, { severity }: Problem): boolean =>
  severity === 'error' || strict === true

const requireDefinition = async (
  platform: Platform,
  tenant: string,
  { definition: given, strict }: { definition: Given; strict?: boolean },
): Promise<{ definition: Definition; problems: Problem[] }> => {
  const { definition, problems } = await checkHere(platform, tenant, given)
  const failing = problems.filter((problem) => isFailing(strict, problem))
  if (definition === undefined || failing.length > 0) throw refused(failing)
  return { definition, problems }
}

const refused = (problems: Problem[]): DomainError => {
  const errors = problems.slice(0, 100).map(({ pointer, code, message, line, column }) => ({
    pointer: `#/definition${pointer.slice(1)}`,
    code,
    message: line === undefined ? message : `line ${line}, column ${column}: ${message}`,
  }))
  return new DomainError('INVALID', `the definition cannot run: ${errors[0]?.message}`, errors)
}

const toWorkflow = ({ name, description, latest, aliases, createdAt, updatedAt }: Workflow): WorkflowResponse => ({
  name,
  ...(description !== undefined && { description }),
  latest,
  aliases,
  createdAt: iso(createdAt),
  updatedAt: iso(updatedAt),
})

const create: Handler<OperationOf<'createWorkflow'>> = async ({ platform }, { caller, body }) => {
  const { definition, problems } = await requireDefinition(platform, caller.tenant, body)
  const { workflow: name, description } = definition
  const { compileWorkflow } = await loadLanguage()
  const command = { name, description, source: body.definition, compiled: compileWorkflow(definition) }
  const { workflow, isNew } = await saveWorkflow(platform, caller, command)
  const shown = { ...toWorkflow(workflow), ...(problems.length > 0 && { problems }) }
  const location = `/api/v2/workflows/${name}`
  return { status: isNew ? 201 : 200, body: shown, headers: { ...(isNew && { location }) } }
}

const validateOne: Handler<OperationOf<'validateWorkflow'>> = async ({ platform }, { caller, body }) => {
  const { problems } = await checkHere(platform, caller.tenant, body.definition)
  return { status: 200, body: { valid: !problems.some((problem) => isFailing(body.strict, problem)), problems } }
}

const list: Handler<OperationOf<'listWorkflows'>> = async ({ platform }, { caller, query }) => {
  const page = await listWorkflows(platform, caller.tenant, query)
  return {
    status: 200,
    body: { items: page.items.map(({ value }) => toWorkflow(value)), nextCursor: page.cursor ?? null },
  }
}

const reply = ({ value, rev }: Stored<Workflow>) => ({
  status: 200,
  body: toWorkflow(value),
  headers: { etag: toETag(rev) },
})

const get: Handler<OperationOf<'getWorkflow'>> = async ({ platform }, { caller, params }) =>
  reply(await getWorkflow(platform, caller.tenant, params.workflow ?? ''))

const patch: Handler<OperationOf<'patchWorkflow'>> = async ({ platform }, { caller, params, body, headers }) => {
  const wish = { aliases: body.aliases, ifMatch: ifMatch(headers) }
  return reply(await changeAliases(platform, caller, params.workflow ?? '', wish))
}

const toVersion = ({ name, version, createdAt }: WorkflowVersion) => ({
  workflow: name,
  version,
  createdAt: iso(createdAt),
})

const versions: Handler<OperationOf<'listWorkflowVersions'>> = async ({ platform }, { caller, params, query }) => {
  const { value } = await getWorkflow(platform, caller.tenant, params.workflow ?? '')
  const page = await listVersions(platform, caller.tenant, value.name, query)
  return {
    status: 200,
    body: { items: page.items.map((one) => toVersion(one.value)), nextCursor: page.cursor ?? null },
  }
}

/** A version in an address is its number: aliases lead runs to versions, and are none. */
const versionNumber = (wanted: string): number => {
  if (isVersionNumber(wanted)) return Number(wanted)
  throw invalid('#/path/version', 'INVALID', `${wanted.slice(0, 80)} is no version; versions are numbered from 1`)
}

const getOne: Handler<OperationOf<'getWorkflowVersion'>> = async ({ platform }, { caller, params }) => {
  const { tenant } = caller
  const { workflow = '', version: wanted = '' } = params
  const version = await getVersion(platform, tenant, workflow, versionNumber(wanted))
  const definition = await loadBody(platform, { tenant, pk: workflowPk(tenant, version.name), body: version.source })
  return { status: 200, body: { ...toVersion(version), definition } }
}

export const workflowHandlers = {
  createWorkflow: create,
  validateWorkflow: validateOne,
  listWorkflows: list,
  getWorkflow: get,
  patchWorkflow: patch,
  listWorkflowVersions: versions,
  getWorkflowVersion: getOne,
}
