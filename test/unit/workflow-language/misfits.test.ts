import { expect, it } from 'vitest'
import { misfitsOf } from '#shared/workflow-language/validate/misfits.ts'
import { shapeOf } from '#shared/workflow-language/validate/shape-of.ts'

const messages = (given: object, wanted: object) =>
  misfitsOf(shapeOf(given), shapeOf(wanted)).map(({ message }) => message)
const text = { type: 'string' }
const whole = { type: 'integer' }
const fields = (properties: object, more: object = {}) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  ...more,
})
const closed = (properties: object) => fields(properties, { additionalProperties: false })

it.each<[string, object, object, string[]]>([
  ['a whole number is a number', whole, { type: 'number' }, []],
  ['a number may be whole', { type: 'number' }, whole, []],
  [
    'types that share none',
    { type: ['string', 'null'] },
    { type: ['integer', 'boolean'] },
    ['takes a number or true or false as its input, not a text or nothing'],
  ],
  ['a schema that says nothing', {}, text, []],
  ['a field that may be there', fields({ a: text }), fields({ b: text }), []],
  ['a field that cannot be there', closed({ a: text }), fields({ b: text }), ['needs b in its input']],
  ['a field that is in no way taken', fields({ a: text }), closed({ aa: text }), ['takes no a; did you mean aa?']],
  [
    'an optional field of another type',
    fields({ a: text }, { required: [] }),
    fields({ a: whole }, { required: [] }),
    [],
  ],
  [
    'the same where it is needed',
    fields({ a: text }, { required: [] }),
    fields({ a: whole }),
    ['takes a number as its input.a, not a text'],
  ],
  [
    'items of another type',
    { type: 'array', items: text },
    { type: 'array', items: whole },
    ['takes a number as its input.0, not a text'],
  ],
  ['one value of several', { enum: ['a', 'b'] }, { enum: ['b', 'c'] }, []],
  ['no value of several', { enum: ['a', 'b'] }, { const: 'c' }, ['takes "c" as its input, not "a" or "b"']],
  ['one way of several fits', { anyOf: [text, whole] }, text, []],
  [
    'none of the ways that there are',
    { anyOf: [{ type: 'null' }, whole] },
    text,
    ['takes a text as its input, not nothing'],
  ],
  ['one way that is taken', text, { oneOf: [whole, text] }, []],
  [
    'none of the ways that are taken',
    text,
    { anyOf: [whole, { type: 'null' }] },
    ['takes a number or nothing as its input, not a text'],
  ],
  [
    'the way that is nearest',
    closed({ a: text }),
    { anyOf: [{ type: 'null' }, fields({ b: text })] },
    ['needs b in its input'],
  ],
  ['each that has to hold', text, { allOf: [{}, whole] }, ['takes a number as its input, not a text']],
  [
    'a reference within the document',
    { $ref: '#/$defs/a', $defs: { a: text } },
    whole,
    ['takes a number as its input, not a text'],
  ],
  ['a reference to elsewhere, or for ever', { $ref: 'https://example.org' }, { $ref: '#' }, []],
  ['what stands for an object of the platform', fields({ $ref: text }), text, []],
])('%s', (_, given, wanted, expected) => {
  expect(messages(given, wanted)).toEqual(expected)
})

it('compares schemas that hold themselves, in an end', () => {
  const tree = (leaf: object) => ({
    ...fields({ leaf }),
    anyOf: [{ properties: { a: { $ref: '#' }, b: { $ref: '#' } }, required: ['a', 'b'] }],
  })
  expect(messages(tree(text), tree(text))).toEqual([])
  expect(messages(tree(text), tree(whole))).not.toEqual([])
})
