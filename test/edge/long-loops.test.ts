import { createParser } from 'eventsource-parser'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunStreamEvent } from '#shared/contracts/workflows.ts'
import { machineOf } from '#shared/domain/workflows/run-legs.ts'
import { anApi, type TestApi } from '#test/support/api.ts'
import { eventually } from '#test/support/eventually.ts'
import { counting, longLoops } from '#test/support/long-loops.ts'
import { aRowWorker, type RowTask } from '#test/support/row-worker.ts'

let api: TestApi
let worker: Awaited<ReturnType<typeof aRowWorker>>
let broken = true
const undone: unknown[] = []
const work = (input: never, { capability }: RowTask) => {
  if (capability === 'undo') undone.push(input)
  if (capability === 'flaky' && input === 7 && broken)
    return { fails: { code: 'AGENT_ERROR', message: 'seven is broken' } }
  return { result: input }
}
beforeAll(async () => {
  api = await anApi()
  worker = await aRowWorker(api, 'hand', ['echo', 'flaky', 'undo'], work)
}, 30_000)
afterAll(async () => {
  await worker?.stop()
  await api?.close()
})
const { start, ended, startOf, runOf, legsOf } = longLoops(() => api)

const everything = `
workflow: everything
steps:
  - { name: one, kind: set, value: [1] }
  - { name: none, kind: set, value: [] }
  - { name: nested, kind: set, value: [[1]] }
  - { name: word, kind: task, capability: echo, input: '{% $input.word %}' }
  - name: outer
    kind: repeat
    until: '{% $count($seen) >= 12 %}'
    atMost: 20
    steps:
      - name: way
        kind: choice
        cases:
          - when: '{% $outerRound % 2 = 0 %}'
            steps:
              - name: inner
                kind: repeat
                until: '{% $innerRound >= 5 %}'
                atMost: 50
                steps: [{ name: k, kind: task, capability: echo, input: '{% $innerRound + $outerRound %}' }]
          - when: '{% $outerRound = 3 %}'
            steps:
              - name: failing
                kind: task
                capability: echo
                input: 1
                output: '{% $error("no") %}'
                catch:
                  - errors: [NEVER]
                    steps: [{ name: never, kind: set, value: 1 }]
                  - steps:
                      - name: instead
                        kind: repeat
                        until: '{% $insteadRound >= 8 %}'
                        atMost: 8
                        steps: [{ name: why, kind: set, value: '{% $failingError.error %}' }]
      - { name: all, kind: map, items: '{% [1..$outerRound] %}', steps: [{ name: item_, kind: set, value: '{% $item %}' }] }
      - { name: seen, kind: set, value: '{% $append($seen ? $seen : [], [{ "round": $outerRound, "way": $way, "all": $count($all) }]) %}' }
  - { name: last, kind: task, capability: echo, input: { one: '{% $one %}', none: '{% $none %}', nested: '{% $nested %}', word: '{% $word %}', never: '{% $never %}', why: '{% $why %}' } }
output: { run: '{% $run.id %}', topic: '{% $input.word %}', seen: '{% $seen %}', rounds: '{% $outerRound %}', last: '{% $last %}', further: { at: nowhere } }
`

/** Reads streams of the events of a run until it is over. */
const follow = async (id: string, after = '0'): Promise<RunStreamEvent[]> => {
  const headers = { authorization: `Bearer ${api.apiKey}`, accept: 'text/event-stream', 'last-event-id': after }
  const response = await api.app.request(`/api/v2/runs/${id}/events`, { headers })
  const seen: RunStreamEvent[] = []
  const parser = createParser({ onEvent: ({ data }) => seen.push(JSON.parse(data)) })
  for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) parser.feed(part)
  const last = seen.at(-1)
  const isOver = last === undefined || (last.type === 'run.state' && last.data.state !== 'RUNNING')
  return isOver
    ? seen
    : [
        ...seen,
        ...(await follow(id, last.id)).filter((one) => one.type === 'run.history' || one.data.state !== 'RUNNING'),
      ]
}

describe('a loop that has more events than an execution', { timeout: 90_000 }, () => {
  it('goes on in the next ones with everything that is still looked at, in whatever it stands', async () => {
    const run = await ended(await startOf(everything, 150, { word: 'tea' }))
    expect(run).toMatchObject({ state: 'SUCCEEDED' })
    const rounds = Array.from({ length: 12 }, (_, at) => at + 1)
    const wayOf = (round: number) => (round % 2 === 0 ? 5 + round : round === 3 ? 'States.QueryEvaluationError' : null)
    expect(run.output).toEqual({
      run: run.id,
      topic: 'tea',
      rounds: 12,
      seen: rounds.map((round) => ({ round, way: wayOf(round), all: round })),
      last: { one: [1], none: [], nested: [[1]], word: 'tea', never: null, why: null },
      further: { at: 'nowhere' },
    })
    const legs = await legsOf(run.id)
    expect(legs.length).toBeGreaterThan(4)
    expect(Math.max(...legs)).toBeLessThan(190)
    expect(run.steps.filter(({ name }: { name: string }) => name === 'k')).toHaveLength(30)
  })

  it('has 10,000 rounds of one run', async () => {
    const { status, body } = await api.post('/workflows', {
      definition: `
workflow: ten-thousand
steps:
  - name: long
    kind: repeat
    until: '{% $turn = 10000 %}'
    atMost: 50000
    steps: [{ name: total, kind: set, value: '{% ($total ? $total : 0) + $longRound %}' }, { name: turn, kind: set, value: '{% $longRound %}' }]
output: { sum: '{% $total %}', rounds: '{% $longRound %}' }
`,
    })
    expect({ status, problems: body.problems ?? [] }).toEqual({ status: 201, problems: [] })
    const run = await ended((await start('ten-thousand')).id, 240)
    expect(run).toMatchObject({ state: 'SUCCEEDED', output: { sum: 50_005_000, rounds: 10_000 } })
    const legs = await legsOf(run.id)
    expect(legs.length).toBe(4)
    expect(legs.slice(0, -1).every((events) => events > 19_500 && events <= 20_000)).toBe(true)
  }, 250_000)

  it('has one history, which is followed over its executions', async () => {
    const id = await startOf(counting('followed', 6, '{ name: pause, kind: wait, for: 1s }'), 20)
    const seen = await follow(id)
    const numbers = seen.filter(({ type }) => type === 'run.history').map((event) => Number(event.id))
    expect(seen.at(-1)).toMatchObject({ type: 'run.state', data: { state: 'SUCCEEDED' } })
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
    const middle = seen[Math.floor(seen.length / 2)]
    expect(await follow(id, middle?.id)).toEqual(seen.slice(Math.floor(seen.length / 2) + 1))
    const events: { id: number; type: string }[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: { items: typeof events; nextCursor: string | null } = (
        await api.get(`/runs/${id}/history?limit=7${cursor && `&cursor=${encodeURIComponent(cursor)}`}`)
      ).body
      events.push(...page.items)
      cursor = page.nextCursor
    }
    expect(events.map((event) => event.id)).toEqual(numbers)
    expect(events).toHaveLength((await legsOf(id)).reduce((sum, one) => sum + one))
    expect(events.filter(({ type }) => type === 'ExecutionStarted').length).toBeGreaterThan(2)
    expect((await api.get(`/runs/${id}/history?cursor=7`)).body.code).toBe('INVALID')
  })

  it('is described from its first execution on, in whichever it is', async () => {
    const text = counting('described', 900, '{ name: pause, kind: wait, for: 1s }')
      .replace('steps:', 'steps:\n  - { name: before, kind: set, value: 1 }')
      .replace('output:', '  - { name: after, kind: set, value: 1 }\noutput:')
    const id = await startOf(text, 20)
    await eventually(async () => expect((await runOf(id)).leg).toBeGreaterThan(1), 30_000)
    const { steps, startedAt } = (await api.get(`/runs/${id}`)).body
    const [before, long, ...inside] = steps
    expect(before).toMatchObject({ name: 'before', state: 'SUCCEEDED' })
    expect(long).toMatchObject({ name: 'long', kind: 'repeat', state: 'RUNNING' })
    expect(Date.parse(long.startedAt) - Date.parse(startedAt)).toBeLessThan(1000)
    expect(inside.map(({ name }: { name: string }) => name).toSorted()).toEqual(['after', 'pause', 'turn'])
    expect(inside.at(-1)).toMatchObject({ name: 'after', state: 'PENDING' })
    expect((await api.post(`/runs/${id}/stop`, {})).status).toBe(200)
    const stopped = await ended(id)
    expect(stopped.steps.slice(0, 2)).toMatchObject([{ state: 'SUCCEEDED' }, { name: 'long', state: 'ABANDONED' }])
  })

  it('undoes what earlier executions have done when it is stopped in a later one', async () => {
    const id = await startOf(
      `
workflow: stopped
steps:
  - { name: made, kind: task, capability: echo, input: 1, compensate: [{ name: unmade, kind: task, capability: undo, input: '{% $output %}' }] }
  - name: long
    kind: repeat
    until: '{% $longRound >= 1000 %}'
    atMost: 1000
    steps:
      - { name: more, kind: task, capability: echo, input: '{% $longRound %}', compensate: [{ name: unmore, kind: task, capability: undo, input: '{% [$output, $made] %}' }] }
      - { name: pause, kind: wait, for: 1s }
`,
      50,
    )
    await eventually(async () => expect((await runOf(id)).leg).toBeGreaterThan(0), 30_000)
    expect((await api.post(`/runs/${id}/stop`, {})).status).toBe(200)
    const run = await ended(id)
    expect(run).toMatchObject({ state: 'STOPPED' })
    const made = run.steps.filter(
      ({ name, state }: { name: string; state: string }) => name === 'more' && state === 'SUCCEEDED',
    )
    expect(undone).toEqual([...made.map((_: unknown, at: number) => [made.length - at, 1]), 1])
    expect(await api.platform.workflows.describe(machineOf(await runOf(id)))).toMatchObject({ status: 'ABORTED' })
  })

  it('goes on from the step that failed in a later execution when it is redriven, and then in the next ones', async () => {
    const id = await startOf(
      counting('redriven', 20, `{ name: tried, kind: task, capability: flaky, input: '{% $longRound %}' }`),
      60,
    )
    expect(await ended(id)).toMatchObject({ state: 'FAILED', error: 'AGENT_ERROR' })
    const before = (await runOf(id)).leg ?? 0
    expect(before).toBeGreaterThan(0)
    broken = false
    expect((await api.post(`/runs/${id}/redrive`)).status).toBe(200)
    const run = await ended(id)
    expect(run).toMatchObject({ state: 'SUCCEEDED', output: 20, redrives: 1 })
    expect(
      run.steps.filter(({ name, state }: { name: string; state: string }) => name === 'tried' && state === 'SUCCEEDED'),
    ).toHaveLength(20)
    expect((await runOf(id)).leg).toBeGreaterThan(before)
  })

  it('has its time from its start, however many executions it has', async () => {
    const definition = counting('timed', 100, '{ name: pause, kind: wait, for: 1s }').replace(
      'steps:',
      'timeout: 3s\nsteps:',
    )
    const run = await ended(await startOf(definition, 1), 20)
    expect(run).toMatchObject({ state: 'TIMED_OUT', error: 'TIMEOUT' })
    const took = Date.parse(run.finishedAt) - Date.parse(run.startedAt)
    expect(took).toBeGreaterThanOrEqual(3000)
    expect((await runOf(run.id)).leg).toBeGreaterThanOrEqual(1)
  })
})
