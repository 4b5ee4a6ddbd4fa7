import type { TokenAnswer, Workflows } from '#shared/platform/platform.ts'
import { PlatformError } from '#shared/platform/platform-error.ts'

/** An answer to a step that was taken: `from` and `to` are the places of the call and of its answer. */
export type TakenAnswer = { token: string; from: number; to: number }

type Work<T> = (workflows: Workflows) => Promise<T>

const broken = (): PlatformError => new PlatformError('UNAVAILABLE', 'the host of workflows went away')

/** The process that runs machines, as the others reach it: while it lives. */
export const createMachines = (place: () => number) => {
  const taken: TakenAnswer[] = []
  const waiting = new Set<() => void>()
  let living: Workflows | undefined

  const ask = <T>(work: Work<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      if (living === undefined) return reject(broken())
      const dead = (): void => reject(broken())
      waiting.add(dead)
      work(living)
        .then(resolve, reject)
        .finally(() => waiting.delete(dead))
    })
  return {
    ask,
    taken,
    async answer(token: string, work: Work<TokenAnswer>): Promise<TokenAnswer> {
      const from = place()
      const answer = await ask(work)
      if (answer.ok) taken.push({ token, from, to: place() })
      return answer
    },
    /** A new process runs the machines; what was asked of the one before is never answered. */
    serve(workflows: Workflows): void {
      for (const dead of waiting) dead()
      waiting.clear()
      living = workflows
    },
  }
}
export type Machines = ReturnType<typeof createMachines>
