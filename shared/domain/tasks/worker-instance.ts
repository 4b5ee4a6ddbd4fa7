import type { Caller } from '../caller.ts'

/** The instance that a worker call speaks for; an administrator's key may speak for the holder. */
export const workerInstance = ({ principal }: Caller): string | undefined =>
  principal.kind === 'instance' ? principal.id : undefined
