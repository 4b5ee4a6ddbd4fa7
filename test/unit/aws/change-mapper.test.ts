import { describe, expect, it } from 'vitest'
import { projectRecords, type StreamRecord, toChange } from '#shared/platform/aws/change-mapper.ts'
import { toAttributes, toKey } from '#shared/platform/aws/dynamodb-item.ts'
import type { Change, Item } from '#shared/platform/platform.ts'
import { anItem, keyOf } from '#test/support/items.ts'

const aRecord = (at: number, item: Item, { before, after }: { before?: string; after?: string }): StreamRecord => ({
  eventID: `event-${at}`,
  dynamodb: {
    Keys: toKey(item),
    SequenceNumber: String(at),
    ...(before && { OldImage: toAttributes(item, before) }),
    ...(after && { NewImage: toAttributes(item, after) }),
  },
})

describe('records of a stream', () => {
  const item = anItem({ value: { a: 1 }, index: { list: { pk: 'x', sk: 'y' } }, expiresAt: 5 })

  it('are changes with the item before and after', () => {
    expect(toChange(aRecord(1, item, { before: 'A', after: 'B' }))).toEqual({
      id: 'event-1',
      key: keyOf(item),
      type: 'note',
      before: { ...item, rev: 'A' },
      after: { ...item, rev: 'B' },
    })
    expect(toChange(aRecord(2, item, { after: 'B' }))).not.toHaveProperty('before')
    expect(toChange(aRecord(3, item, { before: 'B' }))).not.toHaveProperty('after')
  })

  it('are nothing when the write changed nothing, or the item had only expired', () => {
    expect(toChange(aRecord(1, item, { before: 'A', after: 'A' }))).toBeUndefined()
    const removal = aRecord(2, item, { before: 'A' })
    for (const userIdentity of [{ principalId: 'dynamodb.amazonaws.com' }, { PrincipalId: 'dynamodb.amazonaws.com' }])
      expect(toChange({ ...removal, userIdentity })).toBeUndefined()
  })
})

describe('a batch of records from Lambda', () => {
  const items = Array.from({ length: 4 }, () => anItem())
  const records = items.map((item, at) => aRecord(at, item, { after: 'A' }))
  const answering = (failed: string[]) => {
    const seen: Change[] = []
    const project = async (changes: Change[]): Promise<string[]> => {
      seen.push(...changes)
      return failed
    }
    return { seen, project }
  }

  it('is done when nothing failed', async () => {
    const { seen, project } = answering([])
    expect(await projectRecords(records, project)).toEqual({ batchItemFailures: [] })
    expect(seen.map(({ key }) => key)).toEqual(items.map(keyOf))
  })

  it('goes on at the earliest record that failed, whatever order they are named in', async () => {
    const { project } = answering(['event-3', 'event-1', 'event-2'])
    expect(await projectRecords(records, project)).toEqual({ batchItemFailures: [{ itemIdentifier: '1' }] })
  })

  it('comes again whole when an unknown change failed', async () => {
    const { project } = answering(['another'])
    expect(await projectRecords(records, project)).toEqual({ batchItemFailures: [{ itemIdentifier: '0' }] })
  })

  it('asks nobody about records that changed nothing', async () => {
    const { project, seen } = answering(['never'])
    const [item] = items as [Item]
    const none = await projectRecords([aRecord(1, item, { before: 'A', after: 'A' })], project)
    expect(none).toEqual({ batchItemFailures: [] })
    expect(seen).toEqual([])
  })

  it('comes again when the projector throws', async () => {
    await expect(projectRecords(records, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  })
})
