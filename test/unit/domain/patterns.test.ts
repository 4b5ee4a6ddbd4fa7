import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mostCharacters, type Pattern, readPattern } from '#shared/domain/patterns/pattern.ts'
import { mostWildcards } from '#shared/domain/patterns/wildcard.ts'
import { patternCases } from '#test/support/pattern-cases.ts'
import { refusedPatterns } from '#test/support/refused-patterns.ts'

const problemsOf = (pattern: unknown) => {
  const read = readPattern(pattern)
  return 'problems' in read ? read.problems : []
}
const matches = (pattern: Pattern, event: object): boolean => {
  const read = readPattern(pattern)
  if ('problems' in read) throw new Error(JSON.stringify(read.problems))
  return read.matches(event)
}

describe('an event pattern', () => {
  it.each(patternCases)('matches $name', ({ pattern, matches: wanted, not }) => {
    for (const event of wanted) expect(matches(pattern as Pattern, event), JSON.stringify(event)).toBe(true)
    for (const event of not) expect(matches(pattern as Pattern, event), JSON.stringify(event)).toBe(false)
  })

  it.each(refusedPatterns)('is refused when it is $pattern', ({ pattern, pointer, says }) => {
    expect(problemsOf(pattern)).toEqual([{ pointer, code: 'PATTERN', message: expect.stringContaining(says) }])
  })

  it('is told everything that is wrong with it at once', () => {
    const pattern = { a: [], $or: [{ b: [{ prefix: 1 }] }, { c: 'x' }] }
    const pointers = problemsOf(pattern).map(({ pointer }) => pointer)
    expect(pointers).toEqual(['#/a', '#/$or/0/b/0/prefix', '#/$or/1/c'])
    expect(problemsOf({ $or: [{ a: ['x'] }] })[0]?.message).toContain('two patterns or more')
  })

  it('is bounded in size, combinations and wildcards', () => {
    const long = { a: ['x'.repeat(mostCharacters)] }
    expect(problemsOf(long)[0]?.message).toContain(`${mostCharacters} characters`)
    const or = { $or: Array.from({ length: 11 }, (_, at) => ({ [`f${at}`]: [at] })) }
    expect(problemsOf({ a: or, b: or })).toEqual([])
    expect(problemsOf({ a: or, b: or, c: or })[0]?.message).toContain('1331 combinations')
    expect(problemsOf({ a: [{ wildcard: 'a*'.repeat(mostWildcards) }] })).toEqual([])
    expect(problemsOf({ a: [{ wildcard: 'a*'.repeat(mostWildcards + 1) }] })[0]?.message).toContain('wildcards')
  })

  it('says absent only when no object of a list has the field', () => {
    const pattern = { items: { a: ['x'], b: [{ exists: false }] } }
    expect(matches(pattern, { items: [{ a: 'x' }, { a: 'y' }] })).toBe(true)
    expect(matches(pattern, { items: [{ a: 'x' }, { a: 'y', b: 1 }] })).toBe(false)
  })

  it.each([
    ['a value below it', { a: { b: { c: [1] } } }],
    ['an absence below it', { a: { b: { c: [{ exists: false }], d: [1] } } }],
    ['an absence in it', { a: { b: { c: [1] }, d: [{ exists: false }] } }],
  ])('looks at each object of a list a few times, however many there are: for %s', (_, pattern) => {
    let reads = 0
    const counted = (node: object): object =>
      new Proxy(node, {
        get: (target, key) => {
          reads++
          return Reflect.get(target, key)
        },
      })
    const a = Array.from({ length: 1000 }, () => counted({ b: counted({ c: 2 }), d: 1 }))
    expect(matches(pattern, { a })).toBe(false)
    expect(reads).toBeLessThan(20_000)
    expect(matches(pattern, { a: [...a, { b: {} }] })).toBe(false)
  })

  it('knows the words of objects for nothing special', () => {
    expect(matches({ constructor: [{ exists: false }] }, JSON.parse('{}'))).toBe(true)
    expect(problemsOf({ a: [{ constructor: 'x' }] })[0]?.message).toContain('one operator of')
  })
})

const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null))
const text = fc.string({ minLength: 1, maxLength: 8 })

describe('event patterns', () => {
  it('match an event that has the very values they name', () => {
    fc.assert(
      fc.property(fc.dictionary(text, scalar, { minKeys: 1, maxKeys: 5 }), (event) => {
        fc.pre(!('$or' in event || '__proto__' in event))
        const pattern = Object.fromEntries(Object.entries(event).map(([key, value]) => [key, [value]]))
        expect(matches(pattern, event)).toBe(true)
        const [key = ''] = Object.keys(event)
        const { [key]: _, ...rest } = event
        expect(matches(pattern, rest)).toBe(false)
      }),
    )
  })

  it('match anything but what they match without it', () => {
    const operator = fc.oneof(
      fc.record({ prefix: text }),
      fc.record({ suffix: text }),
      fc.record({ 'equals-ignore-case': text }),
    )
    fc.assert(
      fc.property(operator, fc.string(), (wanted, value) => {
        const [plain, but] = [{ a: [wanted] }, { a: [{ 'anything-but': wanted }] }]
        expect(matches(but, { a: value })).toBe(!matches(plain, { a: value }))
      }),
    )
  })

  it('match by wildcard what a regular expression would', () => {
    const parts = fc.array(fc.stringMatching(/^[ab]{0,3}$/), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(parts, fc.stringMatching(/^[ab]{0,10}$/), (texts, value) => {
        const wildcard = texts.join('*').replace(/\*+/g, '*')
        const expected = new RegExp(`^${wildcard.replaceAll('*', '.*')}$`).test(value)
        expect(matches({ a: [{ wildcard }] }, { a: value })).toBe(expected)
      }),
      { numRuns: 1000 },
    )
  })

  it('match one of several as each of them alone', () => {
    const simple = fc.record({ a: fc.array(scalar, { minLength: 1, maxLength: 3 }) })
    fc.assert(
      fc.property(fc.array(simple, { minLength: 2, maxLength: 4 }), scalar, ($or, a) => {
        expect(matches({ $or }, { a })).toBe($or.some((one) => matches(one, { a })))
      }),
    )
  })

  it('refuse or read whatever they are given, and never fail', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ maxDepth: 4 }), (pattern, event) => {
        const read = readPattern(pattern)
        if ('matches' in read) expect(typeof read.matches({ a: event })).toBe('boolean')
        else expect(read.problems.every(({ pointer }) => pointer.startsWith('#'))).toBe(true)
      }),
      { numRuns: 1000 },
    )
  })
})
