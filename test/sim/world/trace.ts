import { execFileSync } from 'node:child_process'
import type { Task } from '#shared/domain/tasks/task.ts'
import { printPlan } from './faults.ts'
import type { Run } from './run-seed.ts'
import type { World } from './world.ts'

const mostLines = 80

type Line = { place: number; text: string }

const seconds = ({ timeline }: World, ms: number): string => `+${((ms - timeline.start) / 1000).toFixed(3)} s`

const commitsOf = (world: World, id: string): Line[] =>
  world.commits.flatMap(({ place, at, after }) => {
    const task = after?.value as Task | undefined
    if (task?.id !== id) return []
    const { status, stamp, lease, seq, transition } = task
    const why = [transition.reason, transition.message].filter(Boolean).join(': ')
    const under = lease ? ` under ${lease.fence} by ${lease.instance}` : ''
    return {
      place,
      text: `  ${seconds(world, at)} ${stamp.action} (${stamp.request}): ${status}${under}, seq ${seq} ${why}`,
    }
  })

const callsOf = (world: World, id: string): Line[] =>
  world.calls
    .filter((call) => JSON.stringify([call.params, call.answer]).includes(id))
    .flatMap(({ id: request, operation, principal, fence, from, to, answer }) => {
      const asked = { place: from, text: `${request} ${operation} of ${principal}${fence ? ` under ${fence}` : ''}` }
      return to === undefined
        ? [asked]
        : [asked, { place: to, text: `${request} is answered ${JSON.stringify(answer)}` }]
    })

/** What happened to one task, and to everything when the records were restored. */
const traceOf = (world: World, id: string): string[] =>
  [
    ...commitsOf(world, id),
    ...callsOf(world, id),
    ...world.restores.map(({ backup, at }) => ({
      place: at,
      text: `the records were restored to what they were at ${backup}`,
    })),
  ]
    .sort((a, b) => a.place - b.place)
    .slice(-mostLines)
    .map(({ place, text }) => `  ${String(place).padStart(5)} ${text}`)

const commit = (): string => {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return 'unknown'
  }
}

/** Everything that somebody needs to see a failure again and to understand it. */
export const describeFailure = ({ seed, steps, fired, findings, world }: Run): string => {
  const task = findings.find((finding) => finding.task !== undefined)?.task
  return [
    `seed ${seed}, steps ${steps}, commit ${commit()}`,
    'findings:',
    ...findings.slice(0, 10).map(({ column, message }) => `  ${column}: ${message}`),
    'plan, as far as it came to pass:',
    ...printPlan(fired).map((line) => `  ${line}`),
    ...(task ? [`trace of ${task}:`, ...traceOf(world, task)] : []),
  ].join('\n')
}
