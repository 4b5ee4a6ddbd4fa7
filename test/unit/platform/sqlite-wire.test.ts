import { expect, test } from 'vitest'
import type { WriterRequest } from '#shared/platform/embedded/sqlite-messages.ts'
import { ofCells, toCells } from '#shared/platform/embedded/sqlite-wire.ts'

const nowhere = Array.from({ length: 8 }, () => null)
const item = {
  pk: 'acme#task#1',
  sk: 'head',
  type: 'task',
  rev: 'r1',
  item: '{"ä":"🙂"}',
  expiresAt: null,
  places: nowhere,
}

const addition = { op: 'add' as const, key: { pk: 'p', sk: 's' } }

const requests: WriterRequest[] = [
  {
    kind: 'write',
    table: 'main',
    now: 7,
    writes: [
      { op: 'put', item, expect: 'any' },
      { op: 'put', item: { ...item, expiresAt: 9, places: ['list', 'a', ...nowhere.slice(2)] }, expect: 'absent' },
      { op: 'put', item, expect: { rev: 'any' } },
      { op: 'put', item, expect: 'absent', untold: true },
      { op: 'delete', key: { pk: 'acme#task#1', sk: 'head' }, expect: { rev: 'absent' } },
      { op: 'check', key: { pk: 'acme#task#2', sk: 'head' }, expect: 'absent' },
    ],
  },
  { kind: 'add', table: 'volatile', now: 8, add: { ...addition, by: -1, bound: { min: 0 }, rev: 'r2' } },
  { kind: 'add', table: 'volatile', now: 8, add: { ...addition, by: 1, bound: { max: 3 }, rev: 'r3' } },
  { kind: 'write', table: 'volatile', now: 8, writes: [{ ...addition, by: 1, bound: { max: 3 }, rev: 'r4' }] },
  { kind: 'purge', now: 9, changesBefore: 4 },
  { kind: 'checkpoint', consumer: 'projector', seq: 12 },
  { kind: 'inspect' },
  { kind: 'write', table: 'workflows', now: 10, writes: [{ op: 'put', item, expect: 'any' }] },
]

test('requests of every kind arrive at the writer as they were sent, side by side', () => {
  expect(ofCells(structuredClone(toCells(requests)))).toEqual(requests)
})
