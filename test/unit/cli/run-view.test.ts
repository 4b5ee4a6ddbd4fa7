import { stripVTControlCharacters } from 'node:util'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createRunView, stepLines } from '#cli/render/run.ts'
import type { RunResponse } from '#shared/contracts/workflows.ts'

type Step = NonNullable<RunResponse['steps']>[number]
const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString()
const runOf = (...steps: Step[]): RunResponse => ({ steps }) as RunResponse
const ran = { startedAt: at(0), finishedAt: at(2) }

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse(at(9)), toFake: ['Date'] })
  vi.stubEnv('TERM', 'xterm')
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllEnvs()
})

it('draws steps of every kind and state', () => {
  const lines = stepLines(
    runOf(
      { name: 'both', kind: 'parallel', state: 'RUNNING', startedAt: at(0) },
      { name: 'a', kind: 'task', in: 'both', state: 'FAILED', error: 'E', cause: 'no', ...ran },
      { name: 'pause', kind: 'wait', in: 'both', state: 'RUNNING', startedAt: at(0), until: at(30) },
      { name: 'again', kind: 'task', state: 'PENDING', startedAt: at(0), attempt: 2, attempts: 3, until: at(20) },
      { name: 'each', kind: 'map', state: 'SUCCEEDED', ...ran },
      { name: 'item', kind: 'set', in: 'each', index: 1, state: 'SUCCEEDED', ...ran },
      { name: 'last', kind: 'set', state: 'PENDING' },
    ),
  )
  expect(lines).toEqual([
    '● both       RUNNING         9 s',
    '✗   a        FAILED        2.0 s  E no',
    '●   pause    RUNNING         9 s  until 2026-01-01T00:00:30.000Z',
    '↻ again      PENDING         9 s  try 2 of 3 by 2026-01-01T00:00:20.000Z',
    '✓ each       SUCCEEDED     2.0 s',
    '✓   item[1]  SUCCEEDED     2.0 s',
    '○ last       PENDING',
  ])
})

it('draws no more than a terminal has room for, and over all of that', () => {
  const written: string[] = []
  const write = (text: string): boolean => written.push(text) > 0
  const view = createRunView({ isTTY: true, columns: 40, rows: 5, write } as unknown as NodeJS.WriteStream)
  const done = Array.from(
    { length: 9 },
    (_, nth): Step => ({ name: `s${nth}`, kind: 'set', state: 'SUCCEEDED', ...ran }),
  )
  const run = runOf(...done, { name: 'ask', kind: 'approval', state: 'RUNNING', startedAt: at(0) })
  view.update(run, ['ask me'])
  view.update(run, ['ask me'])
  const [first = '', second = ''] = written
  expect(stripVTControlCharacters(first).split('\n')).toEqual([
    '  … 8 more',
    '✓ s8   SUCCEEDED     2.0 s',
    '● ask  RUNNING         9 s',
    '→ ask me',
    '',
  ])
  expect(second.startsWith('\u001b[4A\u001b[J')).toBe(true)
})
