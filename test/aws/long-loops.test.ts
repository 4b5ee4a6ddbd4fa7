import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { endRun } from '#shared/domain/workflows/end-run.ts'
import { isOver, type Run } from '#shared/domain/workflows/run.ts'
import { readRunHistory } from '#shared/domain/workflows/run-history.ts'
import { machineOf } from '#shared/domain/workflows/run-legs.ts'
import { getRun } from '#shared/domain/workflows/run-store.ts'
import { saveWorkflow } from '#shared/domain/workflows/save-workflow.ts'
import { startRun } from '#shared/domain/workflows/start-run.ts'
import { stopRun } from '#shared/domain/workflows/stop-run.ts'
import type { Platform, Workflows } from '#shared/platform/platform.ts'
import { compileWorkflow } from '#shared/workflow-language/compile/compile-workflow.ts'
import { validate } from '#shared/workflow-language/validate/validate.ts'
import { openWorkflows } from '#test/contract/aws-suites.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { eventually } from '#test/support/eventually.ts'
import { anAdmin, rowTools } from '#test/support/fan-outs.ts'
import { type Emulator, startEmulator } from './emulator.ts'

const tenant = 'default'
const rounds = (atMost: number, more = ''): string => `
workflow: rounds-${atMost}
steps:
  - { name: one, kind: set, value: [1] }
  - { name: none, kind: set, value: [] }
  - name: outer
    kind: repeat
    until: '{% $outerRound = 3 %}'
    atMost: ${atMost}
    steps:
      - name: inner
        kind: repeat
        until: '{% $innerRound = 4 %}'
        atMost: 10
        steps:
          - { name: seen, kind: set, value: '{% $append($seen ? $seen : [], [$outerRound * 10 + $innerRound]) %}' }${more}
      - { name: items, kind: map, items: '{% [1, 2] %}', steps: [{ name: double, kind: set, value: '{% $item * 2 %}' }] }
output: { run: '{% $run.id %}', tea: '{% $input.tea %}', one: '{% $one %}', none: '{% $none %}', seen: '{% $seen %}', items: '{% $items %}' }
`
const waiting = `
          - { name: asked, kind: task, agent: a, input: '{% $innerRound %}' }`

type Command = { token?: string; run: string }
type Host = { workflows: Workflows; commands: () => Command[] | Promise<Command[]> }

/** What the product makes of loops whose executions a host has; their ends are looked for. */
const loopsOn = (host: () => Host, waitsWhenStopped = false) => {
  let ports: Platform
  let close: () => Promise<void>
  beforeAll(async () => {
    const own = await aPlatform()
    ports = { ...own.platform, workflows: host().workflows }
    close = own.close
  })
  afterAll(() => close?.())

  const save = async (text: string): Promise<string> => {
    const { definition } = validate(text)
    if (definition === undefined) throw new Error('it is not valid')
    const compiled = compileWorkflow(definition, { legEvents: 60 })
    await saveWorkflow(ports, anAdmin, { name: definition.workflow, source: text, compiled })
    return definition.workflow
  }
  const start = async (text: string): Promise<Run> =>
    startRun(ports, anAdmin, { workflow: await save(text), input: { tea: ['green'] } }, rowTools.checkInput)
  const recordOf = async ({ id }: Run): Promise<Run> => (await getRun(ports, tenant, id)).value
  const look = async (run: Run): Promise<Run> => {
    await endRun(ports, machineOf(await recordOf(run)))
    return recordOf(run)
  }
  const over = (run: Run): Promise<Run> =>
    eventually(async () => {
      const now = await look(run)
      expect(isOver(now)).toBe(true)
      return now
    }, 60_000)
  let taken = 0
  const next = (run: Run): Promise<string> =>
    eventually(async () => {
      await look(run)
      const [command] = (await host().commands()).slice(taken)
      expect(command).toMatchObject({ run: run.id })
      taken++
      return command?.token ?? ''
    }, 30_000)

  it('go on in the next one with what they had', async () => {
    const run = await over(await start(rounds(1000)))
    expect(run).toMatchObject({ state: 'SUCCEEDED', leg: expect.any(Number) })
    expect(run.leg).toBeGreaterThanOrEqual(2)
    expect(run.output).toMatchObject({
      value: {
        run: run.id,
        tea: ['green'],
        one: [1],
        none: [],
        seen: [31, 32, 33, 34],
        items: [2, 4],
      },
    })
    const starts: number[] = []
    for (let cursor: string | undefined = '0.'; cursor !== undefined; ) {
      const page: Awaited<ReturnType<typeof readRunHistory>> = await readRunHistory(ports, run, { limit: 100, cursor })
      starts.push(...page.events.filter(({ type }) => type === 'ExecutionStarted').map(({ id }) => id))
      cursor = page.cursor
    }
    expect(starts).toEqual(Array.from({ length: (run.leg ?? 0) + 1 }, (_, leg) => leg * 100_000 + 1))
  }, 90_000)

  it('are stopped where they are', async () => {
    const run = await start(rounds(1001, waiting))
    let token = ''
    for (let round = 1; round <= 4; round++) {
      token = await next(run)
      if (round < 4) expect(await ports.workflows.succeed(token, round)).toEqual({ ok: true })
    }
    const { leg = 0 } = await recordOf(run)
    expect(leg).toBeGreaterThan(0)
    await stopRun(ports, anAdmin, run.id)
    if (waitsWhenStopped) await ports.workflows.succeed(token, 4)
    expect(await over(run)).toMatchObject({ state: 'STOPPED', leg })
  }, 90_000)
}

describe('loops on the embedded host', () => {
  const seen: Command[] = []
  let workflows: Workflows
  let close: () => Promise<void>
  beforeAll(async () => {
    const own = await aPlatform()
    own.platform.workflows.serve({
      onCommand: async (body) => void seen.push(body as Command),
      onEnd: async () => undefined,
    })
    workflows = own.platform.workflows
    close = own.close
  })
  afterAll(() => close?.())
  loopsOn(() => ({ workflows, commands: () => seen }))
})

/** MiniStack leaves what the rule of a Choice assigns aside, and so knows no loops. */
describe('loops on LocalStack, where a run that is stopped waits for its step', () => {
  let emulator: Emulator
  let host: Host
  beforeAll(async () => {
    emulator = await startEmulator('localstack')
    const endpoint = emulator.endpoint.replace('//localhost:', '//127.0.0.1:')
    host = (await openWorkflows({ sqs: endpoint, states: endpoint })) as unknown as Host
  })
  afterAll(() => emulator?.stop())
  loopsOn(() => host, true)
})
