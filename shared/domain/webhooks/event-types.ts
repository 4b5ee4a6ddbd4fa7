/** Everything that other systems are told, by its short name. */
export const publicEventTypes = [
  'task.succeeded',
  'task.failed',
  'task.cancelled',
  'agent.registered',
  'agent.decommissioned',
  'approval.requested',
  'approval.escalated',
  'approval.decided',
  'approval.expired',
  'approval.cancelled',
] as const
export type PublicEventType = (typeof publicEventTypes)[number]

/** The `type` of the event that has this short name. */
export const fullType = (type: PublicEventType): string => `io.devcycle.${type}.v1`
