import { describe, expect, it } from 'vitest'
import type { Run } from '#shared/domain/workflows/run.ts'
import { statesOf } from '#shared/domain/workflows/trace/asl.ts'
import { readTrace } from '#shared/domain/workflows/trace/read-trace.ts'
import { seenSteps } from '#shared/domain/workflows/trace/seen-steps.ts'
import type { Platform, RunEvent } from '#shared/platform/platform.ts'
import { PlatformError } from '#shared/platform/platform-error.ts'

type Ports = Pick<Platform, 'workflows' | 'telemetry'>
type Row = [type: string, name?: string]

/** Events of an execution that begins at a second. */
const executionOf = (second: number, rows: Row[]): RunEvent[] =>
  [['ExecutionStarted'] as Row, ...rows].map(([type, name], at) => ({
    id: at + 1,
    previous: at,
    at: (second + at) * 1000,
    type,
    ...(name !== undefined && { name }),
  }))

/** Executions by their names, told in pages; notes which were asked for. */
const hostOf = (executions: Record<string, RunEvent[]>, pageSize = 1000) => {
  const asked: string[] = []
  const history: Ports['workflows']['history'] = async ({ run }, { cursor = '0', limit }) => {
    asked.push(`${run} ${cursor}`)
    expect(limit).toBe(1000)
    const events = (executions[run] ?? []).toReversed()
    const end = Number(cursor) + pageSize
    return { events: events.slice(Number(cursor), end), ...(end < events.length && { cursor: String(end) }) }
  }
  const ports = { workflows: { history }, telemetry: { log: () => undefined } } as unknown as Ports
  return { asked, ports }
}

const passed = (name: string): Row[] => [
  ['PassStateEntered', name],
  ['PassStateExited', name],
]
const looked = (name: string): Row[] => [
  ['ChoiceStateEntered', name],
  ['ChoiceStateExited', name],
]
const wentOn: Row[] = [
  ['SucceedStateEntered', 'inner: further'],
  ['SucceedStateExited', 'inner: further'],
  ['ExecutionSucceeded'],
]
const first = executionOf(0, [
  ...looked('run: begin'),
  ...passed('before'),
  ...passed('outer'),
  ...passed('inner'),
  ...passed('turn'),
  ...looked('inner: until'),
  ...wentOn,
])
const middle = executionOf(100, [...looked('run: begin'), ...passed('turn'), ...looked('inner: until'), ...wentOn])
const waiting = executionOf(200, [...looked('run: begin'), ['WaitStateEntered', 'turn']])

const outline = [
  { name: 'before', kind: 'set' },
  { name: 'outer', kind: 'repeat' },
  { name: 'inner', kind: 'repeat', in: 'outer' },
  { name: 'turn', kind: 'set', in: 'inner' },
  { name: 'after', kind: 'set' },
]
const aRun = (more: Partial<Run>): Run =>
  ({ tenant: 'acme', workflow: 'w', id: 'run_1', state: 'RUNNING', ...more }) as Run
const seenOf = async (ports: Ports, run: Run) => {
  const trace = await readTrace(ports, run)
  const steps = seenSteps(outline, statesOf({}), trace)
  return { steps: steps.map(({ name, state, startedAt }) => `${name} ${state} ${startedAt}`), isWhole: trace.isWhole }
}

describe('the trace of a run with several executions', () => {
  it('is read from the one that it is in back to the first', async () => {
    const { ports, asked } = hostOf({ run_1: first, 'run_1.1': middle, 'run_1.2': waiting })
    expect(await seenOf(ports, aRun({ leg: 2 }))).toEqual({
      steps: ['before SUCCEEDED 3000', 'outer RUNNING 5000', 'inner RUNNING 7000', 'turn RUNNING 203000'],
      isWhole: true,
    })
    expect(asked).toEqual(['run_1.2 0', 'run_1.1 0', 'run_1 0'])
  })

  it('takes three pages at most, the newest, and is not whole then', async () => {
    const { ports, asked } = hostOf({ run_1: first, 'run_1.1': middle, 'run_1.2': waiting }, 5)
    expect(await seenOf(ports, aRun({ leg: 2 }))).toEqual({
      steps: ['inner RUNNING 105000', 'turn RUNNING 203000'],
      isWhole: false,
    })
    expect(asked).toEqual(['run_1.2 0', 'run_1.1 0', 'run_1.1 5'])
  })

  it('is not whole where the first execution is not, however many there is room for', async () => {
    const { ports } = hostOf({ run_1: first.slice(3), 'run_1.1': waiting })
    expect(await seenOf(ports, aRun({ leg: 1 }))).toMatchObject({ isWhole: false })
  })

  it.each([
    ['RUNNING', undefined],
    ['RUNNING', executionOf(200, [])],
    ['STOPPED', undefined],
  ] as const)('says between two of them that their loops go on: %s, next %j', async (state, next) => {
    const { ports } = hostOf({ run_1: first, 'run_1.1': middle, ...(next && { 'run_1.2': next }) })
    const { steps } = await seenOf(ports, aRun({ leg: 2, state }))
    const loops = state === 'RUNNING' ? 'RUNNING' : 'ABANDONED'
    expect(steps).toEqual([
      'before SUCCEEDED 3000',
      `outer ${loops} 5000`,
      `inner ${loops} 7000`,
      'turn SUCCEEDED 103000',
    ])
  })
})

describe('a host that does not tell what a run has done', () => {
  const failing = (code: 'THROTTLED' | 'INVALID'): Ports => {
    const history = () => Promise.reject(new PlatformError(code, 'no'))
    return { workflows: { history }, telemetry: { log: () => undefined } } as unknown as Ports
  }
  it('is waited for by nobody when it is too busy', async () => {
    expect(await readTrace(failing('THROTTLED'), aRun({ leg: 1 }))).toEqual({
      visits: [],
      isWhole: false,
      isRunning: true,
    })
  })
  it('is told of when it never will', async () => {
    await expect(readTrace(failing('INVALID'), aRun({}))).rejects.toMatchObject({ code: 'INVALID' })
  })
})
