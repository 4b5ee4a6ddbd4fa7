import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openWorkflows } from '#test/contract/aws-suites.ts'
import { type Outcome, outcomesOn } from '#test/support/answering.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { type RandomMachine, randomMachines } from '#test/support/random-machines.ts'
import type { StepCommand } from '#test/support/runs.ts'
import { type Emulator, type EmulatorName, startEmulator } from './emulator.ts'

const machines = randomMachines(2026, 300)
/** The fewest that a host must agree on without any of its known deviations. */
const leastSame = 240

/** LocalStack takes eleven minutes for the machines: `DIFFERENTIAL_ON=ministack,localstack` asks it as well. */
const hosts = (process.env.DIFFERENTIAL_ON ?? 'ministack').split(',')

type Pair = { machine: RandomMachine; theirs: Outcome; ours: Outcome }
/** What another host does otherwise than Step Functions; `explains` says whether a difference is that and nothing else. */
type Deviation = { reason: string; explains: (pair: Pair) => boolean }

const has = ({ asl }: RandomMachine, text: string): boolean => JSON.stringify(asl).includes(text)
const endsAs = ({ theirs, ours }: Pair): boolean =>
  JSON.stringify({ ...theirs, attempts: {} }) === JSON.stringify({ ...ours, attempts: {} })

/** The same with characters that were escaped in texts as they were. */
const unescaped = (outcome: Outcome): string =>
  JSON.stringify(outcome).replaceAll(/\\+u00([0-9a-f]{2})/g, (_, code: string) =>
    String.fromCodePoint(Number.parseInt(code, 16)),
  )

const deviations: Partial<Record<EmulatorName, Deviation[]>> = {
  ministack: [
    {
      reason: 'goes on with the items of a map after one of them has failed',
      explains: (pair) => pair.machine.kinds.includes('map') && endsAs(pair),
    },
    {
      reason: '$string escapes characters beyond ASCII',
      explains: ({ theirs, ours }) => unescaped(theirs) === unescaped(ours),
    },
  ],
  localstack: [
    {
      reason: 'a step that is tried again may end at once with the answer to its last try',
      explains: ({ machine }) => has(machine, '"Retry"'),
    },
  ],
}

const ourOutcomes = async (): Promise<(Outcome | undefined)[]> => {
  const { platform, close } = await aPlatform()
  const commands: StepCommand[] = []
  platform.workflows.serve({
    onCommand: async (body) => void commands.push(body as StepCommand),
    onEnd: async () => undefined,
  })
  const host = { workflows: platform.workflows, commands: () => commands }
  const outcomes = await outcomesOn(host, machines, { atOnce: 32, patienceMs: 60_000 })
  await close()
  return outcomes
}

const asked = (Object.entries(deviations) as [EmulatorName, Deviation[]][]).filter(([name]) => hosts.includes(name))
if (asked.length < Object.keys(deviations).length) console.warn(`machines made at random: asked on ${hosts} alone`)

describe('machines made at random', () => {
  let ours: (Outcome | undefined)[]
  beforeAll(async () => {
    ours = await ourOutcomes()
  })

  it('have every kind of state, and every end', () => {
    const kinds = new Set(machines.flatMap((machine) => machine.kinds))
    expect([...kinds].sort()).toEqual(
      ['choice', 'fail', 'map', 'notice', 'parallel', 'pass', 'step', 'succeed', 'variable', 'wait'].sort(),
    )
    expect(ours.filter((one) => one === undefined)).toEqual([])
    for (const status of ['SUCCEEDED', 'FAILED'])
      expect(ours.filter((one) => one?.status === status).length).toBeGreaterThan(30)
    expect(machines.filter((machine) => has(machine, '"Retry"') && has(machine, '"Catch"')).length).toBeGreaterThan(50)
  })

  describe.each(asked)('on %s', (name, known) => {
    let emulator: Emulator
    beforeAll(async () => {
      emulator = await startEmulator(name)
    })
    afterAll(() => emulator?.stop())

    it('end with the same outcome, output and attempts as here, but for what is known', async () => {
      const endpoint = emulator.endpoint.replace('//localhost:', '//127.0.0.1:')
      const host = await openWorkflows({ sqs: endpoint, states: endpoint })
      const theirs = await outcomesOn(host, machines, { atOnce: 16, patienceMs: 60_000 })
      const differing = machines.flatMap((machine, at) =>
        JSON.stringify(theirs[at]) === JSON.stringify(ours[at])
          ? []
          : [{ at, machine, theirs: theirs[at] as Outcome, ours: ours[at] as Outcome }],
      )
      const unknown = differing.filter((pair) => !known.some(({ explains }) => explains(pair)))
      expect(unknown.map(({ at, theirs, ours }) => ({ at, theirs, ours }))).toEqual([])
      expect(machines.length - differing.length).toBeGreaterThanOrEqual(leastSame)
    }, 1_200_000)
  })
})
