import { expect, it } from 'vitest'
import { processMemory } from '#shared/domain/process-memory.ts'
import type { Table } from '#shared/platform/platform.ts'

it('the memory of a process keeps what was used last, each table its own', () => {
  const memory = processMemory<number>(2)
  const [table, other] = [{} as Table, {} as Table]
  memory(table).set('a', 1).set('b', 2)
  expect(memory(table).get('a')).toBe(1)
  memory(table).set('c', 3)
  expect([...memory(table)]).toEqual([
    ['a', 1],
    ['c', 3],
  ])
  expect(memory(other).size).toBe(0)
})
