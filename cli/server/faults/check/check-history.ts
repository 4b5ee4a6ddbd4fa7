import { checkBatches } from './check-batch.ts'
import { checkCauses } from './check-causes.ts'
import { checkTask, isTerminal } from './check-task.ts'
import { compareFences } from './fences.ts'
import type { Call, FinalBatch, FinalCauses, FinalTask, Finding, Restore } from './history.ts'

type Options = {
  calls: Call[]
  tasks: FinalTask[]
  restores?: Restore[]
  /** The id of the task that a caller's idempotency key stands for. */
  idOf: (call: Call) => string | undefined
  /** What became of batches. @default nothing is known of any */
  batches?: { final: FinalBatch[]; rowIdOf: (batch: string, row: number) => string }
  /** What made tasks by itself. @default nothing is known of it */
  causes?: FinalCauses
}

export const isAccepted = ({ answer }: Call): boolean =>
  answer !== undefined && answer.status >= 200 && answer.status < 300
/** Nobody knows whether it happened. */
const isOpen = ({ answer }: Call): boolean => answer === undefined || answer.status === 429 || answer.status >= 500
/** Whether what a call did was taken back with the records. */
export const isTaken = (call: Call, restores: Restore[], before = Infinity): boolean =>
  restores.some(({ backup, at }) => at < before && (call.to ?? Infinity) > backup && call.from < at)
/** A message of kind `command` is a submit. */
const isSubmit = ({ operation, kind }: Call): boolean =>
  operation === 'submitTask' || (operation === 'sendMessage' && kind === 'command')
const taskOf = (call: Call): string => call.params.task ?? call.answer?.task?.id ?? ''

/** Everything that is wrong with a history and what it left behind. */
export const checkHistory = (options: Options): Finding[] => [
  ...lost(options),
  ...unexpected(options),
  ...duplicated(options),
  ...stale(options),
  ...options.tasks.flatMap(checkTask),
  ...ofBatches(options),
  ...ofCauses(options),
]

const ofCauses = ({ calls, tasks, restores = [], causes }: Options): Finding[] => {
  if (causes === undefined) return []
  const started = calls.filter((call) => call.operation === 'startRun' && isAccepted(call) && !isTaken(call, restores))
  return checkCauses({ accepted: started, causes, tasks })
}

const ofBatches = ({ calls, tasks, restores = [], batches }: Options): Finding[] => {
  if (batches === undefined) return []
  const made = calls.filter((call) => call.operation === 'createBatch' && isAccepted(call) && !isTaken(call, restores))
  return checkBatches({ accepted: made, batches: batches.final, rowIdOf: batches.rowIdOf, tasks })
}

/** What a call that was accepted promises about the end of its task, if its answer says nothing else. */
const promised: Record<string, string> = { completeTask: 'SUCCEEDED', cancelTask: 'CANCELLED' }

const lost = ({ calls, tasks, restores = [] }: Options): Finding[] => {
  const byId = new Map(tasks.map((task) => [task.id, task]))
  return calls
    .filter((call) => isAccepted(call) && !isTaken(call, restores))
    .flatMap((call): Finding[] => {
      const id = taskOf(call)
      const task = byId.get(id)
      const told = call.answer?.task?.status ?? ''
      const wanted = promised[call.operation] && (isTerminal(told) ? told : promised[call.operation])
      if (isSubmit(call) && task === undefined)
        return [{ column: 'lost', task: id, message: `${id} was accepted (${call.id}) and is not there` }]
      if (wanted !== undefined && task?.status !== wanted)
        return [
          {
            column: 'lost',
            task: id,
            message: `${call.operation} ${call.id} of ${id} was accepted, but it is ${task?.status ?? 'not there'}`,
          },
        ]
      return []
    })
}

/** Operations that make tasks besides a submit, and so may have made some without telling. */
const makers = new Set(['submitTasks', 'retryTask', 'createBatch'])

/** Of a subscription that is gone nobody knows what it matched. */
const isMatched = ({ calls, causes }: Options): ((task: FinalTask) => boolean) => {
  const areGone = calls.some((call) => call.operation === 'deleteSubscription' && (isAccepted(call) || isOpen(call)))
  return ({ id, ofTopic }) => causes?.matched.has(id) === true || (areGone && ofTopic === true)
}

const unexpected = (options: Options): Finding[] => {
  const { calls, tasks, idOf } = options
  const making = calls.filter((call) => isSubmit(call) || makers.has(call.operation))
  const known = new Set(making.flatMap((call) => [call.answer?.task?.id, idOf(call), ...(call.answer?.made ?? [])]))
  const matched = isMatched(options)
  const strangers = tasks.filter((task) => !task.derived && !known.has(task.id) && !matched(task))
  const open = making.filter((call) => isOpen(call) && idOf(call) === undefined)
  const mayBe = open.every(isSubmit) ? open.length : Infinity
  const failures = calls.filter(({ answer }) => answer?.status === 500)
  return [
    ...strangers
      .slice(mayBe)
      .map(({ id }): Finding => ({ column: 'unexpected', task: id, message: `nobody submitted ${id}` })),
    ...failures.map(
      (call): Finding => ({
        column: 'unexpected',
        task: taskOf(call),
        message: `${call.operation} ${call.id} was answered 500`,
      }),
    ),
  ]
}

const duplicated = ({ calls, restores = [] }: Options): Finding[] => [
  ...twice(
    calls.filter((call) => isSubmit(call) && isAccepted(call) && idsKeyed(call)),
    (call) => `${call.principal} ${call.key}`,
    (call) => call.answer?.task?.id ?? '',
    'one idempotency key made two tasks',
  ),
  ...twice(
    calls.filter((call) => call.operation === 'completeTask' && isAccepted(call) && !isTaken(call, restores)),
    taskOf,
    ({ fence, digest }) => `${fence} ${digest}`,
    'two completions were accepted',
  ),
  ...twice(
    leases(calls),
    ({ id, fence }) => `${id} ${fence}`,
    ({ call }) => call.principal,
    'one fence was given to two',
  ),
]

const idsKeyed = ({ key }: Call): boolean => key !== undefined

/** Rows of one group that differ in what they should share. */
const twice = <T>(rows: T[], group: (row: T) => string, same: (row: T) => string, what: string): Finding[] =>
  [...Map.groupBy(rows, group)].flatMap(([name, members]): Finding[] => {
    const different = [...new Set(members.map(same))]
    return different.length < 2
      ? []
      : [{ column: 'duplicated', task: name.split(' ')[0], message: `${what}: ${name}: ${different.join(', ')}` }]
  })

type Lease = { id: string; fence: string; call: Call }
const leases = (calls: Call[]): Lease[] =>
  calls.flatMap((call) => (call.answer?.leased ?? []).map((leased) => ({ ...leased, call })))

/** Accepted although a newer lease of the task had been handed out before it was asked. */
const stale = ({ calls, restores = [] }: Options): Finding[] => {
  const byTask = Map.groupBy(leases(calls), ({ id }) => id)
  const fenced = calls.filter(({ fence }) => fence !== undefined)
  const asked = Map.groupBy(fenced, sameCall)
  return fenced.filter(isAccepted).flatMap((call): Finding[] => {
    const id = taskOf(call)
    const newer = (byTask.get(id) ?? []).find(
      (lease) =>
        compareFences(lease.fence, call.fence ?? '') > 0 &&
        (lease.call.to ?? Infinity) < call.from &&
        !isTaken(lease.call, restores, call.from),
    )
    const repeats = (asked.get(sameCall(call)) ?? []).some(
      (one) => one.from < call.from && (isAccepted(one) || isOpen(one)),
    )
    if (newer === undefined || repeats) return []
    return [
      {
        column: 'stale_accepted',
        task: id,
        message: `${call.operation} ${call.id} of ${id} was accepted under ${call.fence}, when ${newer.fence} had been leased`,
      },
    ]
  })
}

const sameCall = (call: Call): string => `${call.operation} ${taskOf(call)} ${call.fence} ${call.digest}`
