import { afterAll, beforeAll, expect, it } from 'vitest'
import type { RunDescription, Workflows } from '#shared/platform/platform.ts'
import { compile } from '#shared/workflow-language/compile/compile.ts'
import { validate } from '#shared/workflow-language/validate/validate.ts'
import { openWorkflows } from '#test/contract/aws-suites.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { type Emulator, startEmulator } from './emulator.ts'

const definition = `
workflow: blocks
steps:
  - name: everyone
    kind: map
    items: [1, 2]
    steps:
      - name: contest
        kind: race
        branches:
          slow: [{ name: never, kind: task, agent: a }]
          fast: [{ name: quick, kind: task, agent: a }]
  - name: again
    kind: repeat
    until: '{% $againRound >= 2 %}'
    atMost: 3
    steps:
      - name: duel
        kind: race
        branches:
          slow: [{ name: never2, kind: task, agent: a }]
          fast: [{ name: quick2, kind: task, agent: a }]
  - name: both
    kind: parallel
    retry: { errors: [AGENT_ERROR], attempts: 3 }
    branches:
      left: [{ name: first, kind: task, agent: a }]
      right: [{ name: shaky, kind: task, agent: a }]
  - name: rest
    kind: map
    retry: { attempts: 2 }
    items: [7]
    steps: [{ name: one, kind: task, agent: a }]
  - name: told
    kind: set
    value: { everyone: '{% $everyone.branch %}' }
`

/** Maps over lists that the run alone knows: their items tell how many there are. */
const counted = `
workflow: counted
steps:
  - name: rows
    kind: map
    items: '{% $input %}'
    as: row
    steps:
      - name: cells
        kind: map
        items: '{% $row %}'
        as: cell
        steps: [{ name: one, kind: task, agent: a, input: { cell: '{% $cell %}', row: '{% $row %}' } }]
`

type Block = { block: string; try?: string }
type Command = {
  token?: string
  joined?: { of: number; block: string }
  within?: Block[]
  step: { name: string; kind: string; block?: string; before?: string; input?: unknown }
}
type Host = { workflows: Workflows; commands: () => Command[] | Promise<Command[]> }

const answers: Record<string, (times: number, host: Workflows, token: string) => unknown> = {
  quick: (_, host, token) => host.succeed(token, 'quick'),
  quick2: (_, host, token) => host.succeed(token, 'quick'),
  first: (times, host, token) => times > 1 && host.succeed(token, 'first'),
  shaky: (times, host, token) =>
    times > 1 ? host.succeed(token, 'shaky') : host.fail(token, { error: 'AGENT_ERROR', cause: 'once' }),
  one: (_, host, token) => host.succeed(token, 'one'),
}

/** Answers for those that come last: MiniStack waits for every branch of a Parallel, also when one has failed. */
const lateAnswers: typeof answers = {
  never: (_, host, token) => host.fail(token, { error: 'LATE', cause: 'too late' }),
  never2: (_, host, token) => host.fail(token, { error: 'LATE', cause: 'too late' }),
  first: (_, host, token) => host.succeed(token, 'late'),
}
const quietMs = 1500

/** Runs it on a host that speaks Amazon States Language, and answers what was asked and how it ended. */
const runOn = async (
  { workflows, commands }: Host,
  text: string = definition,
  input: unknown = {},
): Promise<{ end: RunDescription; asked: Command[] }> => {
  const { definition: valid } = validate(text)
  if (valid === undefined) throw new Error('the definition is not valid')
  const run = { tenant: 'acme', workflow: valid.workflow, run: `run-${Date.now()}` }
  const before = (await commands()).length
  await workflows.deploy({ ...run, version: '1', asl: compile(valid).run })
  await workflows.start({ ...run, version: '1', input })
  const times = new Map<string, number>()
  const late: { name: string; token: string }[] = []
  let [taken, heard] = [before, Date.now()]
  for (const over = Date.now() + 60_000; Date.now() < over; await new Promise((resolve) => setTimeout(resolve, 40))) {
    const fresh = (await commands()).slice(taken)
    taken += fresh.length
    if (fresh.length > 0) heard = Date.now()
    for (const { step, token } of fresh) {
      times.set(step.name, (times.get(step.name) ?? 0) + 1)
      if (token === undefined) continue
      const isAnswered = await answers[step.name]?.(times.get(step.name) ?? 0, workflows, token)
      if (!isAnswered) late.push({ name: step.name, token })
    }
    if (Date.now() - heard > quietMs)
      for (const { name, token } of late.splice(0)) await lateAnswers[name]?.(0, workflows, token)
    const end = await workflows.describe(run)
    if (end && end.status !== 'RUNNING') return { end, asked: (await commands()).slice(before) }
  }
  throw new Error(`it does not end; asked were ${JSON.stringify([...times])}`)
}

const places = (asked: Command[], name: string): Block[] =>
  asked.filter(({ step }) => step.name === name && step.kind === 'task').flatMap(({ within = [] }) => within)
const abandoned = (asked: Command[], name: string): Command['step'][] =>
  asked.flatMap(({ step }) => (step.kind === 'abandon' && step.name === name ? [step] : []))

/** What every host has to make of it; variables that a Parallel assigns are left out, MiniStack does not know them. */
const requireBlocks = ({ end, asked }: { end: RunDescription; asked: Command[] }): void => {
  expect(end).toMatchObject({
    status: 'SUCCEEDED',
    output: { everyone: ['fast', 'fast'] },
  })
  for (const [race, slow] of [
    ['contest', 'never'],
    ['duel', 'never2'],
  ] as const) {
    const blocks = places(asked, slow).map(({ block }) => block)
    expect(new Set(blocks).size, race).toBe(2)
    expect(
      abandoned(asked, race)
        .map(({ block }) => block)
        .sort(),
      race,
    ).toEqual(blocks.sort())
  }
  const [one, two] = places(asked, 'first') as [Block, Block]
  expect(one.block).toBe(two.block)
  expect(abandoned(asked, 'both').map(({ before }) => before)).toEqual([one.try, two.try])
  expect(String(one.try) < String(two.try)).toBe(true)
}

const cell = (name: unknown, row: unknown, of: number) => ({
  step: { input: { cell: name, row } },
  joined: { block: 'rows', of },
})
const requireCounts = ({ end, asked }: { end: RunDescription; asked: Command[] }): void => {
  expect(end).toMatchObject({ status: 'SUCCEEDED', output: [['one', 'one', 'one'], ['one'], []] })
  const told = asked.toSorted((a, b) => JSON.stringify(a.step).localeCompare(JSON.stringify(b.step)))
  const row = [1, { a: [2] }, [3]]
  expect(told).toMatchObject([cell('x', ['x'], 3), cell([3], row, 9), cell({ a: [2] }, row, 9), cell(1, row, 9)])
}
const list = [[1, { a: [2] }, [3]], ['x'], []]

it('blocks name their items, rounds and tries on the embedded host', async () => {
  const { platform, close } = await aPlatform()
  const seen: Command[] = []
  platform.workflows.serve({ onCommand: async (body) => void seen.push(body as Command), onEnd: async () => undefined })
  const host = { workflows: platform.workflows, commands: () => seen }
  requireBlocks(await runOn(host))
  requireCounts(await runOn(host, counted, list))
  await close()
})

let emulator: Emulator
beforeAll(async () => {
  emulator = await startEmulator('ministack')
})
afterAll(() => emulator?.stop())

it('blocks name their items, rounds and tries on MiniStack', async () => {
  const endpoint = emulator.endpoint.replace('//localhost:', '//127.0.0.1:')
  const host = await openWorkflows({ sqs: endpoint, states: endpoint })
  requireBlocks(await runOn(host as never))
  requireCounts(await runOn(host as never, counted, list))
})
