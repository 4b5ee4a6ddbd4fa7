import type { Joined, LeasedTask } from '#shared/contracts/worker.ts'

export type WorkerRequest = {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  path: string
  headers?: Record<string, string>
  body?: unknown
  token?: string
  signal?: AbortSignal
}
export type WorkerAnswer = { status: number; body: unknown }

/** `free` tells how many slots are free, now and while it waits. @default `max` */
export type LeaseOptions = {
  joined: Joined
  max: number
  free?: () => number
  waitSeconds: number
  signal: AbortSignal
}

/** How a runner reaches the platform: over HTTP, or over SQS and Lambda. */
export interface TaskSource {
  /** Resolves with leased tasks, or empty after `waitSeconds`. A lease whose answer was lost may be answered again. */
  lease(options: LeaseOptions): Promise<LeasedTask[]>
  /** A request of the worker protocol; `path` is below `/api/v2`. Throws when there was no answer. */
  send(request: WorkerRequest): Promise<WorkerAnswer>
  /** Nothing runs here for this task any more, however it ended: what was held for it is let go. */
  over(taskId: string): Promise<void>
}

export type Sender = Pick<TaskSource, 'send'>
