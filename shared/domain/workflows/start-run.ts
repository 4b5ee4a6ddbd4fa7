import type { Item, Platform, Write } from '../../platform/platform.ts'
import { isForGood, type PlatformError } from '../../platform/platform-error.ts'
import { loadBody, planBody } from '../bodies/body.ts'
import { type Caller, stamp, systemStamp } from '../caller.ts'
import { remind } from '../dispatch/due.ts'
import { DomainError, invalid, orThrow } from '../domain-error.ts'
import { digest, idFromKey, newId, newRev } from '../ids.ts'
import { isObjectRef, requireContent } from '../objects/object-ref.ts'
import { requireSame } from '../require-same.ts'
import type { CheckInput } from '../tasks/submit-task.ts'
import { writeAll } from '../write-all.ts'
import { lookMs, type ParentStep, type Run } from './run.ts'
import { firstInput, machineOf } from './run-legs.ts'
import { changeRun, findRun, getRun, runItem, runPk } from './run-store.ts'
import { deployVersion } from './save-workflow.ts'
import { chooseVersion, type WorkflowVersion } from './workflow.ts'
import { getVersion, getWorkflow, loadCompiled } from './workflow-store.ts'

type Ports = Pick<Platform, 'main' | 'objects' | 'queues' | 'workflows' | 'clock' | 'random' | 'telemetry'>

export type StartCommand = {
  workflow: string
  /** A version's number or an alias. @default the alias `live`, else the latest version */
  version?: string
  input?: unknown
  idempotencyKey?: string
  parent?: ParentStep
  /** The schedule that starts it. */
  schedule?: string
  rerunOf?: string
  /** What led to it: what it sends knows that. */
  hops?: string[]
}

/**
 * Starts a run: the record first, then its machine; what a death leaves between is made good by the sweep. Under an
 * idempotency key the same start answers the same run, another one is a conflict.
 */
export const startRun = async (
  ports: Ports,
  caller: Caller,
  command: StartCommand,
  checkInput: CheckInput,
): Promise<Run> => {
  const { tenant } = caller
  const { workflow, version: wanted, input, idempotencyKey, parent, schedule, rerunOf, hops } = command
  const id = idempotencyKey ? runIdOf(tenant, workflow, idempotencyKey) : newId('run', ports)
  const submitted = digest({ workflow, wanted, input })
  const same = (known: Run): Run => {
    requireSame(`run ${id}`, idempotencyKey, { before: known.submitted, now: submitted })
    return known
  }
  const known = idempotencyKey === undefined ? undefined : await findRun(ports, tenant, id)
  if (known) return same(known.value)
  const of = await checkStart(ports, tenant, { workflow, version: wanted, input }, checkInput)
  const now = ports.clock.now()
  const stamped = stamp(caller, 'run.start')
  const planned = await planBody(ports, { tenant, pk: runPk(tenant, id), sk: 'input', value: input, stamp: stamped })
  const run: Run = {
    id,
    tenant,
    workflow,
    version: of.version,
    state: 'RUNNING',
    input: planned.body,
    redrives: 0,
    ...(of.legs && { leg: 0 }),
    startedAt: now,
    dueAt: now + lookMs.first,
    submitted,
    by: caller.principal,
    stamp: stamped,
    ...(parent && { parent }),
    ...(schedule !== undefined && { schedule }),
    ...(rerunOf !== undefined && { rerunOf }),
    ...(hops && { hops }),
  }
  const existing = await create(ports, run, planned.items)
  return existing ? same(existing) : beginRun(ports, run)
}

/** The run of an idempotency key: each workflow has keys of its own. */
export const runIdOf = (tenant: string, workflow: string, idempotencyKey: string): string =>
  idFromKey('run', tenant, `${workflow} ${idempotencyKey}`)

/** Refuses a run that cannot be started with this input; answers the version that it would run on. */
export const checkStart = async (
  ports: Pick<Ports, 'main' | 'objects' | 'random'>,
  tenant: string,
  { workflow, version: wanted, input }: Pick<StartCommand, 'workflow' | 'version' | 'input'>,
  checkInput: CheckInput,
): Promise<WorkflowVersion> => {
  const found = await getWorkflow(ports, tenant, workflow)
  const { version } = orThrow(chooseVersion(found.value, wanted, ports.random.number()))
  const of = await getVersion(ports, tenant, workflow, version)
  await requireInput(ports, of, input, checkInput)
  return of
}

const create = async (ports: Ports, run: Run, items: Item[]): Promise<Run | undefined> => {
  const head: Write = { op: 'put', item: runItem(run), expect: 'absent', rev: newRev(ports) }
  const rest = items.map((item): Write => ({ op: 'put', item, expect: 'any' }))
  const outcome = await writeAll(ports.main, [head, ...rest])
  return outcome.ok ? undefined : (await getRun(ports, run.tenant, run.id)).value
}

/** What an execution begins with is 256 KiB at most, with what is around the input of a run. */
export const mostInputBytes = 240 * 1024

const requireSmall = (input: unknown): void => {
  const bytes = Buffer.byteLength(JSON.stringify(input ?? null))
  if (bytes <= mostInputBytes) return
  const instead = 'put it into an object and give {"$ref": "obj_…"}'
  throw invalid('#/input', 'TOO_LARGE', `the input has ${bytes} bytes and may have ${mostInputBytes}; ${instead}`)
}

const requireInput = async (
  ports: Pick<Ports, 'main' | 'objects'>,
  of: WorkflowVersion,
  input: unknown,
  checkInput: CheckInput,
): Promise<void> => {
  requireSmall(input)
  await requireContent(ports, of.tenant, { value: input, pointer: '#/input' })
  const { input: schema } = await loadCompiled(ports, of)
  if (schema === undefined || isObjectRef(input)) return
  const problems = await checkInput(schema, input)
  if (problems.length === 0) return
  const errors = problems.map(({ pointer, message }) => ({ pointer: `#/input${pointer}`, code: 'SCHEMA', message }))
  throw new DomainError('INVALID', `the input does not fit the input schema of workflow ${of.name}`, errors)
}

/** Starts the machine of a run that is stored; again starts nothing. A run that nobody can start fails with that. */
export const beginRun = async (ports: Ports, run: Run): Promise<Run> => {
  const { tenant, id } = run
  const input = firstInput(run, await loadInput(ports, run))
  try {
    await startMachine(ports, run, input)
  } catch (error) {
    if (isForGood(error)) return failStart(ports, run, error)
    throw error
  }
  await remind(ports, { tenant, id, at: run.dueAt ?? ports.clock.now() })
  return run
}

/** Starts the execution that a run is in; again starts nothing. */
export const startMachine = async (
  ports: Pick<Ports, 'main' | 'objects' | 'workflows'>,
  run: Run,
  input: unknown,
): Promise<void> => {
  const of = await getVersion(ports, run.tenant, run.workflow, run.version)
  const start = () => ports.workflows.start({ ...machineOf(run), version: of.machine, input })
  await start().catch(async (error: unknown) => {
    if (!isForGood(error) || error.code !== 'INVALID') throw error
    await deployVersion(ports, of) // its host knows it no more
    await start()
  })
}

const failStart = async (ports: Ports, { tenant, id }: Run, { code, message }: PlatformError): Promise<Run> => {
  ports.telemetry.log('error', 'the machine of a run cannot be started', { run: id, error: message })
  return changeRun(ports, await getRun(ports, tenant, id), (run) => {
    if (run.state !== 'RUNNING') return run
    const end = { state: 'FAILED' as const, error: code, cause: message, finishedAt: ports.clock.now() }
    return { ...run, ...end, dueAt: undefined, stamp: systemStamp('run.end') }
  })
}

/** The input of a run as expressions see it: the value itself, but one that was stored when more was taken. */
export const loadInput = async (
  ports: Pick<Platform, 'main' | 'objects'>,
  { tenant, id, input: body }: Run,
): Promise<unknown> => {
  if (body.in === 'object' && body.size > mostInputBytes) return { $ref: body.id }
  return loadBody(ports, { tenant, pk: runPk(tenant, id), body })
}
