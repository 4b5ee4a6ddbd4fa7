import { toProblem } from '#functions/api/errors.ts'
import type { EmbeddedPlatform } from '#shared/platform/embedded/create-embedded-platform.ts'
import { ulid } from '#shared/platform/ulid.ts'
import { createDice } from './dice.ts'
import { type FaultTools, withFaults } from './faulty-platform.ts'
import { openHistory } from './history-file.ts'
import { type Fetch, observed } from './observed-api.ts'
import type { FaultPlan } from './plan.ts'

type Options = { faultPlan?: FaultPlan; history?: string; version: string }

const toolsOf = ({ clock }: EmbeddedPlatform): FaultTools => ({
  sleep: (ms) => clock.sleep(ms),
  crash: () => {
    process.kill(process.pid, 'SIGKILL')
    return new Promise<never>(() => undefined)
  },
})

/** Puts the faults of a plan, and a history, around what a server is made of; without either all is as it was. */
export const observe = (platform: EmbeddedPlatform, { faultPlan, history: file, version }: Options) => {
  const { clock, random, generation } = platform
  const mint = (): string => ulid(clock.now(), (length) => random.bytes(length))
  const tools = toolsOf(platform)
  const dice = faultPlan && createDice(faultPlan)
  const history = file === undefined ? undefined : openHistory(file)
  history?.write({ type: 'start', at: new Date(clock.now()).toISOString(), version, generation })
  const refuse = (error: unknown): Response => toProblem(error, mint()).response
  return {
    platform: dice ? withFaults(platform, dice, tools) : platform,
    around: <E>(fetch: Fetch<E>): Fetch<E> =>
      dice || history ? observed(fetch, { history, dice, tools, now: () => clock.now(), mint, refuse }) : fetch,
    close: () => history?.close(),
  }
}
