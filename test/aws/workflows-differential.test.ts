import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openWorkflows } from '#test/contract/aws-suites.ts'
import { type Outcome, outcomesOn } from '#test/support/answering.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { type RandomMachine, randomMachines } from '#test/support/random-machines.ts'
import type { StepCommand } from '#test/support/runs.ts'
import { type Emulator, type EmulatorName, startEmulator } from './emulator.ts'

const machines = randomMachines(2026, 300)
type Pair = { machine: RandomMachine; theirs: Outcome; ours: Outcome }
type State = { Type: string; Retry?: object[]; Catch?: object[] }
/** Every state of a machine, those of branches and items too. */
const statesOf = (part: unknown): State[] => {
  if (part === null || typeof part !== 'object') return []
  const inner = Object.values(part).flatMap(statesOf)
  return 'Type' in part && typeof part.Type === 'string' ? [part as State, ...inner] : inner
}

/** What another host does otherwise than Step Functions; `explains` says whether a difference is that and nothing else. */
type Deviation = { reason: string; explains: (pair: Pair) => boolean }

const endsAs = ({ theirs, ours }: Pair): boolean =>
  JSON.stringify({ ...theirs, attempts: {} }) === JSON.stringify({ ...ours, attempts: {} })

/** The same with characters that were escaped in texts as they were. */
const unescaped = (outcome: Outcome): string =>
  JSON.stringify(outcome).replaceAll(/\\+u00([0-9a-f]{2})/g, (_, code: string) =>
    String.fromCodePoint(Number.parseInt(code, 16)),
  )

const attemptsIn = ({ attempts }: Outcome): number => Object.values(attempts).reduce((sum, count) => sum + count, 0)

/** The hosts that are asked, and the fewest machines that each must agree on without any of its known deviations. */
const hosts: { name: EmulatorName; leastSame: number; known: Deviation[] }[] = [
  {
    name: 'ministack',
    leastSame: 240,
    known: [
      {
        reason: 'goes on with the items of a map after one of them has failed',
        explains: (pair) => pair.machine.kinds.includes('map') && endsAs(pair),
      },
      {
        reason: 'branches of a Parallel are given its input, not its Arguments: what looks at those fails',
        explains: ({ machine, theirs, ours }) =>
          JSON.stringify(machine.asl).includes('"Arguments":{"given"') &&
          (attemptsIn(theirs) <= attemptsIn(ours) || JSON.stringify(theirs).includes('States.QueryEvaluationError')),
      },
      {
        reason: '$string escapes characters beyond ASCII',
        explains: ({ theirs, ours }) => unescaped(theirs) === unescaped(ours),
      },
    ],
  },
  { name: 'localstack', leastSame: machines.length, known: [] },
]

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
    const states = machines.flatMap(({ asl }) => statesOf(asl))
    for (const type of ['Task', 'Parallel', 'Map']) {
      const handled = (handling: 'Retry' | 'Catch') =>
        states.filter((state) => state.Type === type && state[handling] !== undefined).length
      expect([type, handled('Retry') > 20, handled('Catch') > 20]).toEqual([type, true, true])
    }
    const tried = ours.filter((one) => Object.values(one?.attempts ?? {}).some((attempts) => attempts > 1))
    expect(tried.length).toBeGreaterThan(30)
  })

  describe.each(hosts)('on $name', ({ name, leastSame, known }) => {
    let emulator: Emulator
    beforeAll(async () => {
      emulator = await startEmulator(name)
    })
    afterAll(() => emulator?.stop())

    it('end with the same outcome, output and attempts as here, but for what is known', async () => {
      const endpoint = emulator.endpoint.replace('//localhost:', '//127.0.0.1:')
      const host = await openWorkflows({ sqs: endpoint, states: endpoint })
      const theirs = await outcomesOn(host, machines, { atOnce: 16, patienceMs: 300_000, pauseMs: 250 })
      const differing = machines.flatMap((machine, at) =>
        JSON.stringify(theirs[at]) === JSON.stringify(ours[at])
          ? []
          : [{ at, machine, theirs: theirs[at] as Outcome, ours: ours[at] as Outcome }],
      )
      const unknown = differing.filter((pair) => !known.some(({ explains }) => explains(pair)))
      expect(unknown.map(({ at, theirs, ours }) => ({ at, theirs, ours }))).toEqual([])
      expect(machines.length - differing.length).toBeGreaterThanOrEqual(leastSame)
    }, 900_000)
  })
})
