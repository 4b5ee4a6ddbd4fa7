import jsonata from 'jsonata'
import { expect, it } from 'vitest'
import type { VoteStep } from '#shared/contracts/workflows/definition.ts'
import { compileSteps } from '#shared/workflow-language/compile/compile-steps.ts'
import { bind, listCode, toCode } from '#shared/workflow-language/compile/expression.ts'
import { didYouMean, knownFunctions } from '#shared/workflow-language/expressions/functions.ts'

const evaluate = (code: string, states: object): Promise<unknown> =>
  jsonata(code.replace(/^\{%|%\}$/g, '')).evaluate(undefined, { states })

it('binds what a name means only where an expression looks at it', async () => {
  const bound = bind({ a: '{% $input.x %}', b: ['{% $other %}', 'text'] }, { input: '$states.context.Execution.Input' })
  expect(bound).toEqual({
    a: '{% ($input := $states.context.Execution.Input; $input.x) %}',
    b: ['{% $other %}', 'text'],
  })
  expect(await evaluate((bound as { a: string }).a, { context: { Execution: { Input: { x: 5 } } } })).toBe(5)
})

it('makes a list of what JSONata gives as one thing, or as nothing', async () => {
  const lists = ['$states.many', '$states.many[n = 1]', '$states.many[n = 9]', '$states.none']
  const states = { many: [{ n: 1 }, { n: 2 }] }
  const found = await Promise.all(lists.map((code) => evaluate(listCode(`{% ${code} %}`, {}), states)))
  expect(JSON.parse(JSON.stringify(found))).toEqual([[{ n: 1 }, { n: 2 }], [{ n: 1 }], [], []])
})

it.each([
  [
    [[1, 2], [3]],
    [[1, 2], [3]],
  ],
  [
    ['{% $states.list %}', 1],
    [[1, 2], 1],
  ],
  [['{% $states.list %}'], [[1, 2]]],
  [
    [['{% $states.list %}'], []],
    [[[1, 2]], []],
  ],
  [['{% $states.none %}'], []],
  [{ a: ['{% $states.one %}', '{% $states.list[0] %}'] }, { a: [[1], 1] }],
])('keeps the lists of %j as they are written', async (value, expected) => {
  const states = { list: [1, 2], one: [1] }
  expect(JSON.parse(JSON.stringify(await evaluate(toCode(value, {}), states)))).toEqual(expected)
})

it('writes a value with expressions in it as one expression', async () => {
  const code = toCode({ a: '{% $states.x + 1 %}', b: [1, 'two', null, true], 'odd "key"': {} }, {})
  expect(JSON.parse(JSON.stringify(await evaluate(code, { x: 1 })))).toEqual({
    a: 2,
    b: [1, 'two', null, true],
    'odd "key"': {},
  })
})

it('suggests the name that was meant, and looks for none where no name is as long', () => {
  expect(didYouMean('uppercas', knownFunctions)).toBe('; did you mean uppercase?')
  const long = 'a'.repeat(61)
  expect(didYouMean(`${long}b`, [`${long}c`])).toBe('')
})

const tallyOf = async (...ballots: unknown[]): Promise<unknown> => {
  const voters = ballots.map(() => ({ agent: 'a' }))
  const step: VoteStep = { name: 'v', kind: 'vote', voters, quorum: 1 }
  const { states } = compileSteps([step], {
    next: undefined,
    bindings: {},
    also: [],
    inMap: false,
    within: [],
    rounds: [],
    undoes: false,
    whole: new Set<string>(),
    run: '',
  })
  const branches = (states.v ?? {}) as { Branches?: { States: Record<string, { Output: string }> }[] }
  const block = branches.Branches?.[0]
  const result = ballots.map((ballot) => (ballot === undefined ? { cast: false } : { cast: true, ballot }))
  return JSON.parse(JSON.stringify(await evaluate(block?.States['v: ballots']?.Output ?? '', { result })))
}

it('counts ballots: the most frequent one wins, whoever failed cast none', async () => {
  expect(await tallyOf('a', 'b', 'b', undefined)).toEqual({ choice: 'b', votes: 2, of: 4, ballots: ['a', 'b', 'b'] })
  expect(await tallyOf({ x: 1 }, { x: 1 })).toMatchObject({ choice: { x: 1 }, votes: 2 })
  expect(await tallyOf([1, 2], [1, 2], [3])).toEqual({
    choice: [1, 2],
    votes: 2,
    of: 3,
    ballots: [[1, 2], [1, 2], [3]],
  })
  expect(await tallyOf([[1]])).toMatchObject({ choice: [[1]], votes: 1, ballots: [[[1]]] })
  expect(await tallyOf('a')).toMatchObject({ choice: 'a', votes: 1, ballots: ['a'] })
  expect(await tallyOf(undefined, undefined)).toMatchObject({ votes: 0, of: 2, ballots: [] })
})
