import { afterAll, expect, it } from 'vitest'
import { createExpressions } from '#shared/platform/embedded/workflows/expressions.ts'

const { evaluateFor, close } = createExpressions()
afterAll(() => close())

const cause = (source: string): Promise<unknown> =>
  evaluateFor('acme')(`{% ${source} %}`, {}).then(
    (value) => ({ value }),
    (error: { failure: { error: string; cause: string } }) => `${error.failure.error} ${error.failure.cause}`,
  )

const apart = '$map([1], function($x) { $x })'

it.each([
  ['1/0', 'it gives Infinity, a number that JSON does not have'],
  ['0/0', 'it gives NaN, a number that JSON does not have'],
  ["{'a': [1, -1/0]}", 'it gives -Infinity, a number that JSON does not have'],
  [`{'a': ${apart}, 'b': 1/0}`, 'it gives Infinity, a number that JSON does not have'],
  ["{'a': {'f': $sum}}", 'it gives a function'],
  [`[${apart}, function($x) { $x }]`, 'it gives a function'],
])('%s is no JSON, wherever it is evaluated', async (source, reason) => {
  expect(await cause(source)).toBe(`States.QueryEvaluationError the expression ${source} failed: ${reason}`)
})

it('what is computed with no such result goes on', async () => {
  const value = await cause("{'a': 1/4, 'b': [1, null], 'big': 1/0 > 5, 'seq': [{'n': 1}, {'n': 2}].n}")
  expect(JSON.stringify(value)).toBe('{"value":{"a":0.25,"b":[1,null],"big":true,"seq":[1,2]}}')
})
