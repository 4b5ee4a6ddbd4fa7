import type { Finding } from '#cli/server/faults/check/history.ts'
import type { Task } from '#shared/domain/tasks/task.ts'
import type { World } from '../world/world.ts'

/** After the last fault: agents that stand still go on, their leases are over, and what they held in vain is done. */
const recoveryMs = (120 + 30 + 60) * 1000
/** A look at what is queued: it comes with the sweep, and a message that somebody lost may hide as long. */
const lookMs = 60_000
const sweepMs = 66_000
const leaseMs = 30_000

type Wait = { since: number; free: number }

/** The longest that a task may be queued while an agent is free that could do it. */
const mostMs = (age: number): number => Math.max(lookMs, age / 4) + sweepMs + leaseMs

/** Checks that every task starts soon, once an agent is free for it and nothing goes wrong any more. */
export const checkLiveness = (world: World): Finding[] => {
  const { commits, calmAt = Infinity, slots, limit = Infinity } = world
  const from = calmAt + recoveryMs
  const room = Math.min(slots, limit)
  const running = new Set<string>()
  const waits = new Map<string, Wait>()
  const findings: Finding[] = []
  let last = from

  const pass = (now: number): void => {
    if (running.size < room) for (const wait of waits.values()) wait.free += now - last
    last = now
  }
  const start = (id: string, now: number): void => {
    const wait = waits.get(id)
    waits.delete(id)
    if (wait === undefined || wait.free <= mostMs(now - wait.since)) return
    const seconds = Math.round(wait.free / 1000)
    findings.push({ column: 'stuck', task: id, message: `${id} waited ${seconds} s while an agent was free for it` })
  }
  for (const { at, after } of commits) {
    const task = after?.value as Task | undefined
    if (task === undefined) continue
    if (at > last) pass(at)
    if (task.status === 'RUNNING') running.add(task.id)
    else running.delete(task.id)
    if (task.status !== 'QUEUED') start(task.id, at)
    else if (!waits.has(task.id)) waits.set(task.id, { since: task.transition.at, free: 0 })
  }
  return findings
}
