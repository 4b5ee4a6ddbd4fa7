import { describe, expect, it } from 'vitest'
import { checkInput, schemaProblem } from '#functions/api/json-schema.ts'

const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)])
const twice = { anyOf: [1, 2].map(() => ({ type: 'array', items: { $ref: '#' } })) }

describe('a JSON Schema', () => {
  it('that would answer later cannot be used, and lets nothing through', () => {
    const schema = { $async: true, type: 'object', required: ['x'] }
    expect(schemaProblem(schema)).toContain('$async')
    expect(checkInput(schema, {})).toEqual([{ pointer: '', message: expect.stringContaining('$async') }])
  })

  it('that calls itself is ended when it takes too long for what it is given', () => {
    expect(schemaProblem(twice)).toBeUndefined()
    expect(checkInput(twice, nested(60))).toEqual([{ pointer: '', message: expect.stringContaining('takes too long') }])
    expect(checkInput({ type: 'array', items: { $ref: '#' } }, [[[]]])).toEqual([])
  })

  it('that is nothing but itself refuses, and does not break', () => {
    expect(checkInput({ $ref: '#' }, 1)).toEqual([{ pointer: '', message: expect.stringContaining('cannot be used') }])
  })

  it('that wants all to differ is ended, too', () => {
    const many = Array.from({ length: 200_000 }, (_, at) => ({ at }))
    expect(checkInput({ uniqueItems: true }, many)).toEqual([
      { pointer: '', message: expect.stringContaining('takes too long') },
    ])
    expect(checkInput({ uniqueItems: true }, [1, 1])).toHaveLength(1)
  })
})
