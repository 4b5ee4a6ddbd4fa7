import type { Platform } from '../../platform/platform.ts'
import type { Caller } from '../caller.ts'
import type { Writer } from './task-moves.ts'

/** The instance that a worker call speaks for; an administrator's key may speak for the holder. */
export const workerInstance = ({ principal }: Caller): string | undefined =>
  principal.kind === 'instance' ? principal.id : undefined

/** Whom the fence of a worker call is compared for. */
export const writerOf = ({ generation }: Pick<Platform, 'generation'>, caller: Caller): Writer => ({
  instance: workerInstance(caller),
  generation,
})
