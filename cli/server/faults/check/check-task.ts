import { compareFences } from './fences.ts'
import type { FinalTask, Finding } from './history.ts'

/** Where a task's state may go, as the documentation draws it: written down once more, to be another opinion. */
const edges: Record<string, readonly string[]> = {
  '': ['SCHEDULED', 'QUEUED', 'WAITING'],
  SCHEDULED: ['QUEUED', 'FAILED', 'CANCELLED'],
  QUEUED: ['RUNNING', 'FAILED', 'CANCELLED'],
  RUNNING: ['QUEUED', 'SCHEDULED', 'WAITING', 'SUCCEEDED', 'FAILED', 'CANCELLED'],
  WAITING: ['QUEUED', 'FAILED', 'CANCELLED'],
}
const terminal = new Set(['SUCCEEDED', 'FAILED', 'CANCELLED'])

export const isTerminal = (status: string): boolean => terminal.has(status)

type Check = (task: FinalTask) => Finding[]

/** One finding, if there is something to say. */
const told = (column: Finding['column'], { id }: FinalTask, message: string | undefined): Finding[] =>
  message === undefined ? [] : [{ column, task: id, message: `${id} ${message}` }]

const chain: Check = (task) => {
  const at = task.states.findIndex(({ from = '', to }, index) => {
    const before = task.states[index - 1]?.to ?? ''
    return from !== before || !(edges[from] ?? []).includes(to)
  })
  const step = task.states[at]
  return told(
    'illegal_transition',
    task,
    step && `went from ${task.states[at - 1]?.to ?? 'nowhere'} (it says ${step.from ?? 'nowhere'}) to ${step.to}`,
  )
}

const end: Check = (task) => {
  const last = task.states.at(-1)?.to
  return told(
    'illegal_transition',
    task,
    last === task.status ? undefined : `is ${task.status}, but its last event says ${last}`,
  )
}

const gap: Check = (task) => {
  const at = task.seqs.findIndex((seq, index) => seq !== index + 1)
  return told(
    'illegal_transition',
    task,
    at === -1 ? undefined : `has event ${task.seqs[at]} where ${at + 1} should be`,
  )
}

const ends: Check = (task) => {
  const count = task.states.filter(({ to }) => isTerminal(to)).length
  return told('duplicated', task, count > 1 ? `ended ${count} times` : undefined)
}

const fences: Check = (task) => {
  const at = task.attempts.findIndex(
    ({ fence }, index) => index > 0 && compareFences(fence, task.attempts[index - 1]?.fence ?? '') <= 0,
  )
  return told(
    'stale_accepted',
    task,
    at === -1 ? undefined : `was leased under ${task.attempts[at]?.fence} after ${task.attempts[at - 1]?.fence}`,
  )
}

const moves: Check = (task) =>
  told(
    'stuck',
    task,
    isTerminal(task.status) || task.status === 'WAITING' || task.waits ? undefined : `is still ${task.status}`,
  )

const checks: Check[] = [chain, end, gap, ends, fences, moves]

/** What is wrong with one task, as it is in the end. */
export const checkTask = (task: FinalTask): Finding[] => checks.flatMap((check) => check(task))
