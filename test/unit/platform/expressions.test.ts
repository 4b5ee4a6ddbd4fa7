import { afterAll, describe, expect, it } from 'vitest'
import type { Json } from '#shared/platform/embedded/workflows/asl.ts'
import { directPath } from '#shared/platform/embedded/workflows/direct-path.ts'
import { createExpressions } from '#shared/platform/embedded/workflows/expressions.ts'
import { isModest } from '#shared/platform/embedded/workflows/jsonata-bounds.ts'

const { evaluateFor, close } = createExpressions()
const evaluate = evaluateFor('acme')
afterAll(() => close())

const values = (source: string, bindings: Record<string, unknown> = {}): Promise<Json> =>
  evaluate(`{% ${source} %}`, bindings)
const failure = (source: string, bindings: Record<string, unknown> = {}): Promise<unknown> =>
  values(source, bindings).then(
    (value) => ({ value }),
    (error: { failure: unknown }) => error.failure,
  )
const withoutSource = (answer: unknown): unknown =>
  'value' in (answer as object) ? answer : queryError(/it gives nothing/)
const queryError = (cause: RegExp) => ({
  error: 'States.QueryEvaluationError',
  cause: expect.stringMatching(cause),
})

describe('expressions', () => {
  it('are what stands between {% and %}, anywhere in a template; all else is itself', async () => {
    const template = { a: '{% $x + 1 %}', list: [1, '{% $x %}', ' {% $x %}'], deep: { none: null, text: 'x' } }
    expect(await evaluate(template, { x: 1 })).toEqual({
      a: 2,
      list: [1, 1, ' {% $x %}'],
      deep: { none: null, text: 'x' },
    })
  })

  it('have the functions of Step Functions', async () => {
    expect(await values('$partition([1,2,3,4,5], 2)')).toEqual([[1, 2], [3, 4], [5]])
    expect(await values('$range(0, 10, 5)')).toEqual([0, 5, 10])
    expect(await values("$hash('abc', 'SHA-256')")).toMatch(/^ba7816bf/)
    expect(await values('$parse(\'{"a":1}\').a')).toBe(1)
    expect(await values('$random(7) = $random(7)')).toBe(true)
    expect(await values('$uuid()')).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('fail by name when they give nothing, do not parse, or call what is not there', async () => {
    expect(await failure('$states.input.nothing', { states: { input: {} } })).toEqual(queryError(/it gives nothing/))
    expect(await failure('1 +')).toEqual(queryError(/end of expression/i))
    expect(await failure("$eval('1')")).toEqual(queryError(/non-function/))
    expect(await failure('function($x) { $x }')).toEqual(queryError(/it gives nothing/))
  })
})

describe('expressions that are names alone', () => {
  const bindings = { a: { list: [{ n: 1 }, { n: 2 }], one: [5], none: null, text: 'x', deep: { n: 0 } }, l: [{ n: 3 }] }

  it.each([
    '$a',
    '$a.list',
    '$a.one',
    '$a.text',
    '$a.deep.n',
    '$a.none',
    ' $a.list.n ',
    '$l',
    '$l.n',
    '$a.list.n.m',
    '$b',
    '$a.constructor',
  ])('give what the same ones give that are more: %s', async (source) => {
    expect(await failure(source, bindings)).toEqual(await failure(`true ? ${source} : 0`, bindings).then(withoutSource))
    expect(directPath(source)).toBeDefined()
  })
})

describe('expressions that would take too much', () => {
  it.each([
    ['time', '($f := function($n) { $f($n + 1) }; $f(0))', /timeout/i],
    ['depth', '($f := function($n) { 1 + $f($n + 1) }; $f(0))', /stack overflow/i],
    ['memory', '($f := function($a) { $f($append($a, [1..100000])) }; $f([]))', /memory|sequence|timeout|longer/i],
    ['a result', "$pad('', 100000000, 'x')", /characters|memory|longer/],
    ['a pattern', '$match($s, /^(a+)+$/)', /longer than 2000 ms/],
  ])('%s end in States.QueryEvaluationError', async (_, source, cause) => {
    const began = performance.now()
    expect(await failure(source, { s: `${'a'.repeat(40)}!` })).toEqual(queryError(cause))
    expect(performance.now() - began).toBeLessThan(15_000)
    expect(await values('1 + 1')).toBe(2)
    expect(await values('($x := 1; $x + 1)')).toBe(2)
  })

  it.each([
    ['matches a date by a picture of names', `$toMillis($s, '${'[MNn][FNn]'.repeat(4)}')`, `${'a'.repeat(400)}!`],
    ['doubles a text', `$length($uppercase($s${'.($ & $)'.repeat(24)}))`, 'text'],
    ['sorts a long list', '$sort($s)', Array<string>(65_536).fill('a')],
  ])('leave the server free: one that %s', async (_, source, s) => {
    let longest = 0
    let last = performance.now()
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
    }, 10)
    await failure(source, { s })
    clearInterval(timer)
    expect(Math.max(longest, performance.now() - last)).toBeLessThan(3000)
  })

  it('hold nothing else up', async () => {
    let isOver = false
    const slow = failure('($f := function($n) { $f($n + 1) }; $f(0))').then(() => {
      isOver = true
    })
    expect(await values("$join(['a', 'b'], ',')")).toBe('a,b')
    expect(isOver).toBe(false)
    await slow
  })

  it('are told from modest ones by what they are made of', () => {
    for (const modest of [
      '$states.input.a.b[0]',
      "$a & ':' & $string($b)",
      '$merge([$a, {"b": 1}])',
      "$join($a, ', ')",
      '$exists($a) ? 1 : 2',
      '$toMillis($a.at) - $toMillis($b.at)',
      '($b := $states.context.Execution.Input; $b.n % 2 = 0)',
      "$states.input.list[state = 'open' and by = $states.input.by].{'id': id, 'n': $count(parts)}",
      "'https://example.org/' & $a.owner & '/' & $a.name & '/pulls/' & $string($a.number) & '?q=' & $encodeUrlComponent($b)",
    ])
      expect([modest, isModest(modest)]).toEqual([modest, true])
    for (const not of [
      '[1..10]',
      '$map($a, function($x) { $x })',
      '($b := $a & $a; $b)',
      '($count := $sort; $count($a))',
      '($b := $sort; $b($a))',
      '$match($a, /x/)',
      '$join($a, $b)',
      '$pad($a, 9)',
      "$toMillis($a, '[MNn][FNn]')",
      "$a ~> $toMillis('[MNn][FNn]')",
      "$parseInteger($a, '0')",
      '$sort($a)',
      '$a ~> $sort',
      "{'f': $sort}.f($a)",
      '$a ~> $join($b)',
      '$s.($ & $).($ & $).($ & $).($ & $).($ & $).($ & $)',
      "$s.$replace('a', 'aaaaaaaaaaaaaaaa').$replace('a', 'aaaaaaaaaaaaaaaa')",
      "{'a': $s, 'b': $s}.{'a': $, 'b': $}.{'a': $, 'b': $}.{'a': $, 'b': $}.{'a': $, 'b': $}.{'a': $, 'b': $}",
      '$string($a.$$)',
      "$string($a.{'whole': $b})",
      '$string(**)',
    ])
      expect([not, isModest(not)]).toEqual([not, false])
  })
})
