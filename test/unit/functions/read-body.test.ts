import { describe, expect, it } from 'vitest'
import { checkShape, parseWith } from '#functions/api/read-body.ts'
import { submitTaskSchema } from '#shared/contracts/tasks.ts'
import type { DomainError } from '#shared/domain/domain-error.ts'

const errorsOf = (body: unknown) => {
  try {
    parseWith(submitTaskSchema, body, '#')
    return []
  } catch (error) {
    return (error as DomainError).errors ?? []
  }
}

describe('a quorum', () => {
  it('is at most as many as there are shards', () => {
    const range = { from: 0, to: 10, size: 5 }
    for (const [shards, quorum] of [
      [{ list: [1] }, 5],
      [{ range }, 3],
    ] as const)
      expect(errorsOf({ capability: 'x', shards, quorum })).toMatchObject([{ pointer: '#/quorum' }])
    expect(errorsOf({ capability: 'x', shards: { range }, quorum: 2 })).toEqual([])
    expect(errorsOf({ capability: 'x', shards: { split: { capability: 'y' } }, quorum: 50 })).toEqual([])
  })
})

describe('what is wrong with a choice', () => {
  it('is told of the option that comes closest, and of no other', () => {
    expect(errorsOf({ capability: 'x', shards: { range: { from: 0, to: 5 } } })).toEqual([
      expect.objectContaining({ pointer: '#/shards/range/size' }),
    ])
    expect(errorsOf({ capability: 'x', shards: { list: 7 } })).toEqual([
      expect.objectContaining({ pointer: '#/shards/list' }),
    ])
  })
})

it('a number that JSON has no value for is refused where it stands, and not kept as null', () => {
  const problem = (text: string) => {
    try {
      checkShape(JSON.parse(text))
      return undefined
    } catch (error) {
      return (error as DomainError).errors?.[0]?.pointer
    }
  }
  expect(problem('{"input": {"a": [1, -1e999]}}')).toBe('#/input/a/1')
  expect(problem('{"input": [1e308, -0, 1e-400]}')).toBeUndefined()
})
