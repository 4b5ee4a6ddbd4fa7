import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anApi, type TestApi } from '#test/support/api.ts'
import { counting, longLoops } from '#test/support/long-loops.ts'

let api: TestApi
beforeAll(async () => {
  api = await anApi()
})
afterAll(() => api?.close())
const { start, ended, startOf, runOf, legsOf } = longLoops(() => api)

describe('an execution of a loop that goes on in the next one', { timeout: 90_000 }, () => {
  const items = `kind: map, items: '{% [1..20] %}'`
  const one = `{ name: one, kind: set, value: '{% $item = 20 ? $error("no") : 1 %}' }`
  const instead = '[{ steps: [{ name: instead, kind: set, value: 0 }] }]'
  it.each([
    ['that fails and is caught', `{ name: all, ${items}, steps: [${one}], catch: ${instead} }`, ''],
    [
      'that is tried again and caught',
      `{ name: all, ${items}, steps: [${one}], retry: { attempts: 2 }, catch: ${instead} }`,
      '',
    ],
    [
      'that comes before it',
      '{ name: pass, kind: set, value: 1 }',
      `{ name: all, ${items}, steps: [{ name: one, kind: set, value: 1 }] }`,
    ],
  ])('counts the items of a map %s', async (_, within, before) => {
    const name = `map-${_.replaceAll(' ', '-')}`
    const definition = `
workflow: ${name}
steps:
${before && `  - ${before}\n`}  - name: long
    kind: repeat
    until: '{% $longRound >= 12 %}'
    atMost: 12
    steps:
      - ${within}
      - { name: turn, kind: set, value: '{% $longRound %}' }
`
    const budget = before ? 150 : 700
    const run = await ended(await startOf(definition, budget))
    expect(run).toMatchObject({ state: 'SUCCEEDED', output: 12 })
    const legs = await legsOf(run.id)
    expect(legs.length).toBeGreaterThan(1)
    expect(Math.max(...legs)).toBeLessThanOrEqual(budget)
  })

  it('fails by name where what is still looked at is more than an execution may hand on', async () => {
    const steps = ['a', 'b', 'c'].map(
      (name) =>
        `{ name: ${name}, kind: set, value: '{% $join([1..25000].("${name}")) & $join([1..25000].("1234")) %}' }`,
    )
    const definition = `
workflow: heavy
steps:
  - ${steps.join('\n  - ')}
  - { name: long, kind: repeat, until: '{% $longRound >= 100 %}', atMost: 100, steps: [{ name: x, kind: set, value: 1 }] }
output: '{% [$length($a), $length($b), $length($c)] %}'
`
    const run = await ended(await startOf(definition, 60))
    expect(run).toMatchObject({ state: 'FAILED', error: 'States.DataLimitExceeded' })
    expect((await runOf(run.id)).leg).toBe(0)
  })

  it('is not taken for one because somebody answers what its executions answer', async () => {
    const output = { further: { input: 1, run: 'run_x', startedAt: 'now', at: 'long', variables: {} } }
    const definition = { workflow: 'sly', steps: [{ name: 'a', kind: 'set', value: 1 }], output }
    await api.post('/workflows', { definition })
    expect(await ended((await start('sly')).id)).toMatchObject({ state: 'SUCCEEDED', output })
    const sly = counting('slyer', 20, '{ name: x, kind: set, value: 1 }').replace(
      /output: .*/,
      `output: ${JSON.stringify(output)}`,
    )
    expect(await ended(await startOf(sly, 60, { at: 'long', variables: { longRound: 19 } }))).toMatchObject({
      state: 'SUCCEEDED',
      output,
    })
  })
})
