import { isAccepted, isTaken } from '#cli/server/faults/check/check-history.ts'
import type { Finding } from '#cli/server/faults/check/history.ts'
import type { Approval } from '#shared/domain/approvals/approval.ts'
import { idFromKey } from '#shared/domain/ids.ts'
import type { Subscription } from '#shared/domain/topics/subscription.ts'
import { isOver, type Run, type RunStep } from '#shared/domain/workflows/run.ts'
import { machineOf } from '#shared/domain/workflows/run-legs.ts'
import { undoNameOf } from '#shared/domain/workflows/workflow.ts'
import type { Head } from '#shared/platform/embedded/workflows/execution.ts'
import { historyPk } from '#shared/platform/embedded/workflows/rows.ts'
import type { RunEvent } from '#shared/platform/platform.ts'
import { parseTurn, undoing } from '../world/draw-workflow.ts'
import type { World } from '../world/world.ts'

type Told = (column: Finding['column'], message: string) => Finding
const told: Told = (column, message) => ({ column, message })

/** A run with everything that is recorded of it. */
type Whole = { run: Run; steps: RunStep[] }

const wholes = ({ main }: World): Whole[] => {
  const byType = Map.groupBy(main.rows(), ({ type }) => type)
  const steps = (byType.get('run-step') ?? []).map(({ value }) => value as RunStep)
  const byRun = Map.groupBy(steps, ({ run }) => run)
  return (byType.get('run') ?? [])
    .map(({ value }) => value as Run)
    .map((run) => ({ run, steps: byRun.get(run.id) ?? [] }))
}

const accepted = ({ calls, restores }: World, all: Whole[]): Finding[] => {
  const known = new Set(all.map(({ run }) => run.id))
  const started = calls.filter((call) => call.operation === 'startRun' && isAccepted(call) && !isTaken(call, restores))
  return started.flatMap(({ key = '', params }): Finding[] => {
    const [tenant = '', ...own] = key.split(' ')
    const id = idFromKey('run', tenant, `${params.workflow} ${own.join(' ')}`)
    return known.has(id) ? [] : [told('lost', `run ${id} was accepted and is not there`)]
  })
}

/** Nobody is refused what is asked for the same step again. */
const refused = ({ run, steps }: Whole): Finding[] =>
  steps
    .filter(({ error }) => error === 'IDEMPOTENCY_CONFLICT')
    .map(({ name }) => told('unexpected', `${name} of ${run.id} was taken for another step`))

/** What a run has sent was done, although it waited for nothing of it; only what would have to be undone may stay. */
const sent = ({ run, steps }: Whole, undoable: ReadonlySet<string>): Finding[] =>
  steps
    .filter(({ kind, token, state }) => kind !== 'abandon' && token === undefined && state !== 'SUCCEEDED')
    .filter(({ name }) => !undoable.has(name))
    .map(({ name, state }) => told('lost', `${name} is ${state}, and run ${run.id} is ${run.state}`))

/** Nobody is asked, and nothing is waited for, on behalf of a run that is over. */
const leftOver = ({ main }: World, all: Whole[]): Finding[] => {
  const over = new Set(all.filter(({ run }) => isOver(run)).map(({ run }) => run.id))
  return [...main.rows()].flatMap(({ type, value }): Finding[] => {
    const { target, deletedAt } = value as Subscription
    const { step, state } = value as Approval
    const isHeard = type === 'subscription' && deletedAt === undefined && 'step' in target && over.has(target.step.run)
    const isAsked = type === 'approval' && step && over.has(step.run) && (state === 'PENDING' || state === 'ESCALATED')
    return isHeard || isAsked ? [told('stuck', `${type} ${(value as { id: string }).id} outlives its run`)] : []
  })
}

/** Every run ends, and nothing that it began goes on without it. */
const ended = ({ run, steps }: Whole): Finding[] => {
  if (!isOver(run)) return [told('stuck', `run ${run.id} is still ${run.state}`)]
  return steps
    .filter(({ state }) => state === 'RUNNING')
    .map(({ name, kind }) => told('stuck', `${kind} ${name} goes on, while run ${run.id} is ${run.state}`))
}

const namesOf = (steps: { name: string }[]): string[] => steps.map(({ name }) => name).sort()

/** What had completed and can be undone is, in a run that does not succeed, undone once; in one that does, never. */
const undone = ({ run, steps }: Whole, undoable: ReadonlySet<string>): Finding[] => {
  const done = steps.filter(({ state, undoes, name }) => state === 'SUCCEEDED' && !undoes && undoable.has(name))
  const undid = steps.filter(({ undoes, state, name }) => undoes && state === 'SUCCEEDED' && name.startsWith(undoing))
  const expected = run.state === 'SUCCEEDED' ? [] : namesOf(done)
  const recorded = namesOf((run.undone ?? []).map(({ step }) => ({ name: step })))
  const strange = steps.filter(
    ({ name, kind, undoes }) => kind !== 'abandon' && name.startsWith(undoing) !== (undoes === true),
  )
  return [
    ...strange.map(({ name }) =>
      told('unexpected', `${name} of ${run.id} was begun ${run.outcome ? 'while undoing' : ''}`),
    ),
    ...(isOver(run) && String(expected) !== String(recorded)
      ? [told('lost', `run ${run.id} is ${run.state} after ${expected}; it is said that ${recorded} were undone`)]
      : []),
    ...[...new Set(namesOf(undid))]
      .filter(
        (name) =>
          undid.filter((one) => one.name === name).length >
          done.filter((one) => `${undoing}${one.name}` === name).length,
      )
      .map((name) => told('duplicated', `${name} of ${run.id} was done more often than what it undoes`)),
  ]
}

const endings = new Set(['TaskSucceeded', 'TaskFailed', 'TaskTimedOut'])

/** The machine of a run: each time that a step was begun it ended once at most. */
const stepEnds = ({ runs }: World): Finding[] => {
  const events = [...runs.rows()].filter(({ type }) => type === 'run-events')
  const byRun = Map.groupBy(events, ({ pk }) => pk)
  return [...byRun].flatMap(([pk, rows]) => {
    const ends = rows.flatMap(({ value }) => value as RunEvent[]).filter(({ type }) => endings.has(type))
    return [...Map.groupBy(ends, ({ previous }) => previous)]
      .filter(([, group]) => group.length > 1)
      .map(([previous, group]) =>
        told('duplicated', `in ${pk} event ${previous} was followed by ${group.map(({ type }) => type)}`),
      )
  })
}

/** As the product names it; it also ends machines whose run has taken its time in several executions. */
const endOf = ({ status, error }: Head): string => {
  if (status !== 'ABORTED') return status
  return error === 'States.Timeout' ? 'TIMED_OUT' : 'STOPPED'
}

/** Of a run its record and its machine say the same. */
const machines = ({ runs }: World, all: Whole[]): Finding[] => {
  const heads = [...runs.rows()].filter(({ type }) => type === 'run').map(({ value }) => value as Head)
  const byName = new Map(heads.map((head) => [`${head.workflow} ${head.run}`, head]))
  return all.flatMap(({ run }): Finding[] => {
    const legs = Array.from({ length: (run.leg ?? 0) + 1 }, (_, leg) => machineOf(run, leg).run)
    const [head, ...before] = legs.toReversed().map((name) => byName.get(`${run.workflow} ${name}`))
    const undo = byName.get(`${undoNameOf(run.workflow)} ${run.id}`)
    const state = run.outcome ?? run.state
    const seen = head && endOf(head)
    return [
      ...before
        .filter((one) => one?.status !== 'SUCCEEDED')
        .map((one) => told('lost', `run ${run.id} has gone on in ${head?.run}, and ${one?.run} is ${one?.status}`)),
      ...(isOver(run) && seen !== state
        ? [told('illegal_transition', `run ${run.id} is ${state}, its machine ${seen}`)]
        : []),
      ...(undo && run.outcome === undefined ? [told('unexpected', `run ${run.id} is ${state} and was undone`)] : []),
    ]
  })
}

/** In a run that has succeeded each loop had all its rounds, in whichever executions, and none of them twice. */
const turns = ({ runs }: World, all: Whole[]): Finding[] => {
  const rows = [...runs.rows()].filter(({ type }) => type === 'run-events')
  const byMachine = Map.groupBy(rows, ({ pk }) => pk)
  const succeeded = all.map(({ run }) => run).filter(({ state }) => state === 'SUCCEEDED')
  return succeeded.flatMap((run) => {
    const legs = Array.from({ length: (run.leg ?? 0) + 1 }, (_, leg) => historyPk(machineOf(run, leg)))
    const events = legs.flatMap((pk) => (byMachine.get(pk) ?? []).flatMap(({ value }) => value as RunEvent[]))
    const entered = Map.groupBy(
      events.filter(({ type }) => type === 'PassStateEntered'),
      ({ name = '' }) => name,
    )
    return [...entered].flatMap(([name, { length }]): Finding[] => {
      const turn = parseTurn(name)
      const expected = turn && turn.rounds * (entered.get(turn.loop)?.length ?? 0)
      if (expected === undefined || expected === length) return []
      const column = length > expected ? 'duplicated' : 'lost'
      return [told(column, `run ${run.id} entered ${name} ${length} times instead of ${expected}`)]
    })
  })
}

/** An answer was taken from whoever the machine waited for, and from nobody twice. */
const tokens = ({ machines: { taken }, watchRuns: { closed }, restores }: World): Finding[] => {
  const since = restores.at(-1)?.at ?? 0
  const counted = taken.filter(({ from }) => from > since)
  const late = counted.filter(({ token, from }) => (closed.get(token) ?? from) < from)
  const twice = counted.filter(({ token }, at) => counted.findIndex((one) => one.token === token) < at)
  return [
    ...late.map(({ from }) => told('stale_accepted', `the answer ${from} was taken for a step that waited no more`)),
    ...twice.map(({ from }) => told('duplicated', `the answer ${from} was taken for a token that was answered before`)),
  ]
}

/** What became of every run that was started. */
export const checkRuns = (world: World): Finding[] => {
  if (!world.flows) return []
  const all = wholes(world)
  return [
    ...accepted(world, all),
    ...all.flatMap((whole) => [
      ...ended(whole),
      ...refused(whole),
      ...sent(whole, world.undoable),
      ...undone(whole, world.undoable),
    ]),
    ...leftOver(world, all),
    ...stepEnds(world),
    ...machines(world, all),
    ...turns(world, all),
    ...tokens(world),
  ]
}
