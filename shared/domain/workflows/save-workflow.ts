import type { Platform, Stored, Write } from '../../platform/platform.ts'
import { isForGood } from '../../platform/platform-error.ts'
import { planBody } from '../bodies/body.ts'
import { type Caller, stamp } from '../caller.ts'
import { compete, saveItem } from '../contention.ts'
import { DomainError, invalid } from '../domain-error.ts'
import { digest, newRev } from '../ids.ts'
import { type IfMatch, requireRev } from '../require-rev.ts'
import {
  type CompiledWorkflow,
  isUndoName,
  isVersionNumber,
  undoNameOf,
  type Weights,
  type Workflow,
  type WorkflowVersion,
} from './workflow.ts'
import {
  findWorkflow,
  getVersion,
  getWorkflow,
  loadCompiled,
  versionWrite,
  workflowItem,
  workflowPk,
} from './workflow-store.ts'

type Ports = Pick<Platform, 'main' | 'objects' | 'workflows' | 'clock' | 'random'>

export type WorkflowCommand = { name: string; description?: string; source: unknown; compiled: CompiledWorkflow }
export type Saved = { workflow: Workflow; version: WorkflowVersion; isNew: boolean }

/**
 * Stores a definition as the next version of its workflow; the latest one again stays that version. Its machines are
 * deployed first: what cannot run is no version.
 */
export const saveWorkflow = async (ports: Ports, caller: Caller, command: WorkflowCommand): Promise<Saved> => {
  const { tenant } = caller
  if (isUndoName(command.name))
    throw invalid('#/definition/workflow', 'RESERVED', 'names that end in .undo are those of machines that undo')
  return compete(ports, `workflow ${command.name}`, async () => {
    const before = await findWorkflow(ports, tenant, command.name)
    const same = before && (await latestIfSame(ports, before.value, command))
    if (!before || !same) return store(ports, caller, before, command)
    await deployVersion(ports, same)
    return { done: { workflow: before.value, version: same, isNew: false } }
  })
}

const latestIfSame = async (ports: Ports, { tenant, name, latest }: Workflow, { source }: WorkflowCommand) => {
  const version = await getVersion(ports, tenant, name, latest)
  return version.digest === digest(source) ? version : undefined
}

const store = async (
  ports: Ports,
  caller: Caller,
  before: Stored<Workflow> | undefined,
  { name, description, source, compiled }: WorkflowCommand,
): Promise<{ done: Saved } | undefined> => {
  const { tenant } = caller
  const now = ports.clock.now()
  const stamped = stamp(caller, 'workflow.save')
  const number = (before?.value.latest ?? 0) + 1
  const machine = `${number}-${digest(compiled.machines).slice(0, 20)}`
  await deploy(ports, { tenant, name, machine }, compiled).catch(refused)
  const place = { tenant, pk: workflowPk(tenant, name), stamp: stamped }
  const [text, machines] = await Promise.all([
    planBody(ports, { ...place, sk: `source#${number}#${digest(source)}`, value: source }),
    planBody(ports, { ...place, sk: `compiled#${number}#${digest(source)}`, value: compiled }),
  ])
  const version = { tenant, name, version: number, digest: digest(source), machine, createdAt: now, stamp: stamped }
  const full: WorkflowVersion = {
    ...version,
    ...(compiled.legs && { legs: true }),
    source: text.body,
    compiled: machines.body,
  }
  const kept = before?.value ?? { tenant, name, aliases: {}, createdAt: now }
  const workflow: Workflow = { ...kept, description, latest: number, updatedAt: now, stamp: stamped }
  const head: Write = {
    op: 'put',
    item: workflowItem(workflow),
    expect: before === undefined ? 'absent' : { rev: before.rev },
    rev: newRev(ports),
  }
  const bodies = [...text.items, ...machines.items].map((item): Write => ({ op: 'put', item, expect: 'any' }))
  const outcome = await ports.main.transact([head, versionWrite(full), ...bodies])
  return outcome.ok ? { done: { workflow, version: full, isNew: true } } : undefined
}

/** Makes the machines of a version known to whoever runs them; again changes nothing. */
export const deployVersion = async (
  ports: Pick<Platform, 'main' | 'objects' | 'workflows'>,
  version: WorkflowVersion,
): Promise<void> => deploy(ports, version, await loadCompiled(ports, version))

const deploy = async (
  { workflows }: Pick<Platform, 'workflows'>,
  { tenant, name, machine: version }: Pick<WorkflowVersion, 'tenant' | 'name' | 'machine'>,
  { machines }: CompiledWorkflow,
): Promise<void> => {
  await workflows.deploy({ tenant, workflow: name, version, asl: forTenant(machines.run, tenant) })
  if (machines.undo === undefined) return
  await workflows.deploy({ tenant, workflow: undoNameOf(name), version, asl: forTenant(machines.undo, tenant) })
}

/** What its host refuses for good is a mistake in the definition. */
const refused = (error: unknown): never => {
  throw isForGood(error) ? invalid('#/definition', error.code, error.message) : error
}

const forTenant = (machine: unknown, tenant: string): unknown =>
  JSON.parse(JSON.stringify(machine).replaceAll('$' + '{Tenant}', JSON.stringify(tenant).slice(1, -1)))

/** Leads new runs of an alias to versions by weights; `null` removes it. Runs that are under way stay where they are. */
export const changeAliases = async (
  ports: Pick<Platform, 'main' | 'clock' | 'random'>,
  caller: Caller,
  name: string,
  { aliases, ifMatch }: { aliases: Record<string, Weights | null>; ifMatch?: IfMatch },
): Promise<Stored<Workflow>> =>
  compete(ports, `workflow ${name}`, async () => {
    const before = await getWorkflow(ports, caller.tenant, name)
    requireRev(`workflow ${name}`, before, ifMatch)
    requireVersions(before.value, aliases)
    const all = Object.entries({ ...before.value.aliases, ...aliases })
    const left = Object.fromEntries(all.filter((entry): entry is [string, Weights] => entry[1] !== null))
    const changed = {
      ...before.value,
      aliases: left,
      updatedAt: ports.clock.now(),
      stamp: stamp(caller, 'workflow.aliases'),
    }
    const saved = await saveItem(ports, before, workflowItem(changed))
    return saved && { done: saved }
  })

const requireVersions = ({ name, latest }: Workflow, aliases: Record<string, Weights | null>): void => {
  for (const [alias, weights] of Object.entries(aliases))
    for (const version of Object.keys(weights ?? {}))
      if (!isVersionNumber(version) || Number(version) > latest)
        throw new DomainError('INVALID', `workflow ${name} has no version ${version}`, [
          { pointer: `#/aliases/${alias}/${version}`, code: 'NO_VERSION', message: `it has versions 1 to ${latest}` },
        ])
}
