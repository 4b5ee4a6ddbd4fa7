import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { parseWith } from '#functions/api/read-body.ts'
import type { FieldError } from '#shared/domain/domain-error.ts'

const range = z.strictObject({ from: z.int(), to: z.int(), size: z.int() })
const choice = z.union(
  [z.strictObject({ list: z.array(z.int()) }), z.strictObject({ range }), z.literal('all')],
  'one of them',
)

const pointersOf = (value: unknown): string[] => {
  try {
    parseWith(z.strictObject({ choice }), { choice: value }, '#')
    return []
  } catch (error) {
    return (error as { errors: FieldError[] }).errors.map(({ pointer }) => pointer)
  }
}

describe('what is wrong with one of several shapes', () => {
  it.each([
    [
      'many fields',
      { range: { from: 0.5, to: 'x', size: null } },
      ['from', 'to', 'size'].map((name) => `/range/${name}`),
    ],
    ['what is missing', { range: { from: 0.5 } }, ['from', 'to', 'size'].map((name) => `/range/${name}`)],
    ['items', { list: ['a', 'b', 'c'] }, ['/list/0', '/list/1', '/list/2']],
    [
      'a field besides',
      { range: { from: 'a', to: 'b', size: 'c' }, more: 1 },
      ['/range/from', '/range/to', '/range/size', '/more'],
    ],
  ])('is told of the one whose field is there: %s', (_, value, pointers) => {
    expect(pointersOf(value)).toEqual(pointers.map((pointer) => `#/choice${pointer}`))
  })

  it.each([[{}], [{ other: 1 }], ['none'], [7], [{ list: [], range: { from: 0, to: 1, size: 1 } }]])(
    'is told of the choice itself where none is chosen: %j',
    (value) => expect(pointersOf(value)).toEqual(['#/choice']),
  )
})
