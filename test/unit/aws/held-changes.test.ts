import { describe, expect, it } from 'vitest'
import { createHeldChanges, type ReadChange } from '#shared/platform/aws/held-changes.ts'

/** `a1` is the first change of key `a`; `after` is the record before it. */
const aChange = (id: string, after?: string): ReadChange => ({
  change: { id, key: { pk: id[0] ?? '', sk: 'head' }, type: 'note' },
  after,
})
const ids = (entries: ReadChange[]): string[] => entries.map(({ change }) => change.id)

const holding = (...names: string[]) => {
  const held = createHeldChanges()
  held.add(names.map((name, at) => aChange(name, at === 0 ? undefined : names[at - 1])))
  return held
}

describe('changes that were read', () => {
  it('are done when nothing failed', () => {
    const held = holding('a1', 'b1')
    held.settle(held.ready(0), new Set(), 0)
    expect(held.size()).toBe(0)
    expect(held.doneUpTo('b1')).toBe('b1')
  })

  it('are held back from the first failure of their key on, and of no other key', () => {
    const held = holding('a1', 'b1', 'a2', 'b2', 'a3')
    held.settle(held.ready(0), new Set(['a2']), 0)
    expect(ids(held.ready(50))).toEqual(['a2'])
    expect(held.size()).toBe(2)
    expect(held.doneUpTo('a3')).toBe('b1')
  })

  it('rest a growing while, and are then tried one at a time', () => {
    const held = holding('a1', 'a2')
    held.settle(held.ready(0), new Set(['a1']), 0)
    expect(held.ready(49)).toEqual([])
    expect(ids(held.ready(50))).toEqual(['a1'])
    held.settle(held.ready(50), new Set(['a1']), 50)
    expect(held.ready(149)).toEqual([])
    held.settle(held.ready(150), new Set(), 150)
    expect(ids(held.ready(150))).toEqual(['a2'])
  })

  it('let other keys pass while one rests', () => {
    const held = holding('a1')
    held.settle(held.ready(0), new Set(['a1']), 0)
    held.add([aChange('b1', 'a1'), aChange('a2', 'b1')])
    expect(ids(held.ready(10))).toEqual(['b1'])
    held.settle(held.ready(10), new Set(), 10)
    expect(held.doneUpTo('a2')).toBeUndefined()
    expect(ids(held.ready(60))).toEqual(['a1'])
  })
})
