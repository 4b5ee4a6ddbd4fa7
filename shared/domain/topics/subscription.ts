import type { Principal, Stamp } from '../caller.ts'
import type { Pattern } from '../patterns/pattern.ts'
import type { Priority } from '../tasks/task.ts'

/** Where matches go: exactly one kind. */
export type Target =
  | { capability: string; input: 'data' | 'event'; priority?: Priority; labels?: Record<string, string> }
  | { workflow: string; version?: string; input: 'data' | 'event' }
  | { webhook: string }
  | { agent: string }
  | { queue: string }
  | { topic: string }
  | { bus: true }
  /** Whoever watches the subscription over a socket. */
  | { socket: true }
  /** Of a run: it waits for one match. */
  | { step: { run: string; id: string } }

export type TargetKind = 'capability' | 'workflow' | 'webhook' | 'agent' | 'queue' | 'topic' | 'bus' | 'socket' | 'step'

/** The messages of a topic, or of all whose names begin alike, that a pattern matches, on their way to a target. */
export type Subscription = {
  id: string
  tenant: string
  /** A name, or the beginning of names followed by `*`. */
  topic: string
  pattern?: Pattern
  target: Target
  description?: string
  createdAt: number
  deletedAt?: number
  /** Digest of what was asked for, to tell a repeated creation from another one. */
  created: string
  /** Who made it: what it does is done for them. */
  by: Principal
  stamp: Stamp
}

/** What callers may name. */
export const targetKinds = [
  'capability',
  'workflow',
  'webhook',
  'agent',
  'queue',
  'topic',
  'bus',
  'socket',
] as const satisfies TargetKind[]

/** Which kind of target it is. */
export const kindOf = (target: Target): TargetKind =>
  ([...targetKinds, 'step'] as const).find((kind) => kind in target) as TargetKind
