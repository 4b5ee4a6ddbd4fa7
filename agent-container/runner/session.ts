import { randomUUID } from 'node:crypto'
import type { Joined, LeasedTask } from '#shared/contracts/worker.ts'
import { join } from './platform-client.ts'
import type { LeaseOptions, Sender, TaskSource } from './task-source.ts'

/** Shares of a token's life: when it is renewed, and when again where that was refused. */
const renewAfter = 3 / 4
const renewAgainAfter = 1 / 16
const longestTimerMs = 2_147_483_647
const unauthorized = 401

type Options = {
  source: TaskSource
  agent: string
  slots: number
  signal: AbortSignal
  /** Told of each token before it is used. */
  onToken: (token: string) => void
}

/** An instance of the platform: its requests go out under its newest token. */
export type Session = Sender & {
  joined(): Joined
  lease(options: Omit<LeaseOptions, 'joined'>): Promise<LeasedTask[]>
  /** Renews the token no more. */
  close(): void
}

/** Joins, and joins again under the same key before the token expires: the same instance keeps its tasks. */
export const openSession = async ({ source, agent, slots, signal, onToken }: Options): Promise<Session> => {
  const key = randomUUID()
  const closing = new AbortController()
  const until = AbortSignal.any([signal, closing.signal])
  const ask = async (): Promise<Joined> => {
    const answer = await join(source, { agent, slots, key }, until)
    onToken(answer.token)
    return answer
  }
  let joined = await ask()
  let renewing = Promise.resolve()
  let timer: NodeJS.Timeout | undefined

  const schedule = (share: number): void => {
    if (until.aborted) return
    const begin = (): void => {
      renewing = renew()
    }
    timer = setTimeout(begin, Math.min(share * joined.tokenExpiresIn * 1000, longestTimerMs))
    timer.unref()
  }
  const renew = async (): Promise<void> => {
    try {
      joined = await ask()
      schedule(renewAfter)
    } catch {
      schedule(renewAgainAfter)
    }
  }
  /** From a renewal on, the platform knows the new token alone, also while its answer is still under way. */
  const isReplaced = async (token: string, waiting?: AbortSignal): Promise<boolean> => {
    await Promise.race([renewing, ...(waiting ? [aborted(waiting)] : [])])
    return joined.token !== token
  }

  schedule(renewAfter)
  return {
    joined: () => joined,
    async send(request) {
      const { token } = joined
      const answer = await source.send({ ...request, token })
      if (answer.status !== unauthorized || !(await isReplaced(token, request.signal))) return answer
      return source.send({ ...request, token: joined.token })
    },
    async lease(options) {
      const { token } = joined
      try {
        return await source.lease({ ...options, joined })
      } catch (error) {
        const refused = (error as { status?: number }).status === unauthorized
        if (refused && (await isReplaced(token, options.signal))) return []
        throw error
      }
    },
    close() {
      clearTimeout(timer)
      closing.abort()
    },
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
