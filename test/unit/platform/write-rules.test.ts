import { expect, it } from 'vitest'
import { checkWrite, valueText } from '#shared/platform/write-rules.ts'

const item = (more: object) => ({ pk: 'default#run#run_1', sk: 'head', type: 'run', value: 1, ...more })
const refusalOf = (refused: () => unknown): string => {
  try {
    return `no refusal: ${String(refused())}`
  } catch (error) {
    return (error as Error).message
  }
}
const put = (more: object) => () => checkWrite({ op: 'put', item: item(more), expect: 'any' })

it.each([
  ['a large value', () => valueText(item({ value: 'x'.repeat(400_000) })), 'a record of type run has 400002 bytes;'],
  ['half of a pair', put({ pk: 'default#run#\ud800' }), 'received half of a surrogate pair'],
  ['a long key', put({ sk: 'value#'.repeat(1000) }), 'a key has at most 1024 bytes; received 6000'],
  ['an empty key', put({ sk: '' }), 'received an empty one'],
])('a refusal of %s says why, and no key of the storage', (_, refused, why) => {
  expect(refusalOf(refused)).toContain(why)
  expect(refusalOf(refused)).not.toMatch(/#|\bpk\b|\bsk\b/)
})
