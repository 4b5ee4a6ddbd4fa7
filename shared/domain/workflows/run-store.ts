import type { Item, Key, Page, Platform, Stored } from '../../platform/platform.ts'
import { changeStored } from '../contention.ts'
import { dueIndex } from '../dispatch/due.ts'
import { DomainError } from '../domain-error.ts'
import { sortableTime } from '../keys.ts'
import type { Run, RunState, RunStep } from './run.ts'

type Reading = Pick<Platform, 'main'>
type Ports = Pick<Platform, 'main' | 'clock' | 'random'>

export const runPk = (tenant: string, id: string): string => `${tenant}#run#${id}`
export const runKey = (tenant: string, id: string): Key => ({ pk: runPk(tenant, id), sk: 'head' })
const listPk = (tenant: string): string => `${tenant}#runs`
const ofWorkflowPk = (tenant: string, workflow: string): string => `${tenant}#runs-of#${workflow}`
const stepPrefix = 'step#'
const stepKey = ({ tenant, run, id }: Pick<RunStep, 'tenant' | 'run' | 'id'>): Key => ({
  pk: runPk(tenant, run),
  sk: `${stepPrefix}${id}`,
})

export const runItem = (run: Run): Item<Run> => {
  const { tenant, id, workflow, startedAt, dueAt } = run
  const sk = `${sortableTime(startedAt)}#${id}`
  return {
    ...runKey(tenant, id),
    type: 'run',
    value: run,
    index: {
      list: { pk: listPk(tenant), sk },
      parent: { pk: ofWorkflowPk(tenant, workflow), sk },
      ...(dueAt !== undefined && { due: dueIndex(dueAt, tenant, id) }),
    },
  }
}

export const stepItem = (step: RunStep): Item<RunStep> => ({ ...stepKey(step), type: 'run-step', value: step })

export const findRun = ({ main }: Reading, tenant: string, id: string): Promise<Stored<Run> | undefined> =>
  main.get<Run>(runKey(tenant, id))

/** The run, or `NOT_FOUND`. */
export const getRun = async (ports: Reading, tenant: string, id: string): Promise<Stored<Run>> => {
  const found = await findRun(ports, tenant, id)
  if (found === undefined) throw new DomainError('NOT_FOUND', `there is no run ${id}`)
  return found
}

/** Changes and saves with compare-and-swap; the same object means that there is nothing to save. */
export const changeRun = async (ports: Ports, start: Stored<Run>, change: (run: Run) => Run): Promise<Run> => {
  const place = { table: ports.main, start, what: `run ${start.value.id}` }
  return (await changeStored(ports, place, change, runItem)).value
}

export const findStep = (
  { main }: Reading,
  step: Pick<RunStep, 'tenant' | 'run' | 'id'>,
): Promise<Stored<RunStep> | undefined> => main.get<RunStep>(stepKey(step))

/** The same for a step; `beside` is stored with the change, or not at all. */
export const changeStep = async (
  ports: Ports,
  start: Stored<RunStep>,
  change: (step: RunStep) => RunStep,
  beside: Item[] = [],
): Promise<RunStep> => {
  const place = { table: ports.main, start, what: `step ${start.value.name} of run ${start.value.run}`, beside }
  return (await changeStored(ports, place, change, stepItem)).value
}

/** Everything that a run asked for, in the order of asking. */
export const stepsOf = async (
  { main }: Reading,
  { tenant, id }: Pick<Run, 'tenant' | 'id'>,
): Promise<Stored<RunStep>[]> => {
  const steps: Stored<RunStep>[] = []
  let cursor: string | undefined
  do {
    const page: Page<RunStep> = await main.query<RunStep>({
      pk: runPk(tenant, id),
      prefix: stepPrefix,
      limit: 500,
      cursor,
    })
    steps.push(...page.items)
    cursor = page.cursor
  } while (cursor !== undefined)
  return steps.sort((a, b) => a.value.startedAt - b.value.startedAt)
}

export type RunFilter = { workflow?: string; state?: RunState }

/** So many are looked at for one page: a rare state gives short pages, never a slow one. */
const maxExamined = 2000

/** Newest first. */
export const listRuns = async (
  { main }: Reading,
  tenant: string,
  { workflow, state, limit, cursor }: RunFilter & { limit: number; cursor?: string },
): Promise<{ items: Run[]; cursor?: string }> => {
  const place =
    workflow === undefined
      ? { index: 'list' as const, pk: listPk(tenant) }
      : { index: 'parent' as const, pk: ofWorkflowPk(tenant, workflow) }
  const items: Run[] = []
  let next = cursor
  let examined = 0
  do {
    const room = limit - items.length
    const page = await main.query<Run>({ ...place, order: 'descending', limit: room, cursor: next })
    items.push(...page.items.map(({ value }) => value).filter((run) => state === undefined || run.state === state))
    next = page.cursor
    examined += room
  } while (next !== undefined && items.length < limit && examined < maxExamined)
  return { items, cursor: next }
}
