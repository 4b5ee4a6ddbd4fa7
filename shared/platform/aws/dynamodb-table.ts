import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb'
import { createKeyLocks } from '../key-locks.ts'
import type { Clock, Key, Random, Rev, Stored, Table } from '../platform.ts'
import { ulid } from '../ulid.ts'
import { checkTransaction, checkWrite, isKey, isPk, keyOf } from '../write-rules.ts'
import { translated } from './aws-error.ts'
import { batchGet } from './dynamodb-batch-get.ts'
import { addTo } from './dynamodb-counter.ts'
import { liveItem, toKey } from './dynamodb-item.ts'
import { queryKeys, queryPage, scanPage } from './dynamodb-pages.ts'
import { transactWrites, writeOne } from './dynamodb-write.ts'

type Options = { tableName: string; client?: DynamoDBClient; clock: Clock; random: Random }

const firstWaitMs = 200
const mostWaitMs = 1600

/**
 * A table in DynamoDB, which refuses a transaction that meets another one on an item: those of this process that move one
 * counter go one after the other.
 */
export const createDynamoTable = ({ tableName, client = new DynamoDBClient({}), clock, random }: Options): Table => {
  const mint = (): Rev => ulid(clock.now(), (length) => random.bytes(length))
  const context = { client, tableName, clock, random, mint }
  const turns = createKeyLocks()

  const get = async <V>(key: Key): Promise<Stored<V> | undefined> => {
    if (!isKey(key)) return undefined
    const command = new GetItemCommand({ TableName: tableName, Key: toKey(key), ConsistentRead: true })
    return liveItem<V>((await translated('a read', () => client.send(command))).Item, clock.now())
  }
  /** Nothing tells a reader here: it looks again, at growing distances. */
  const waitForChange = async <V>(key: Key, than: Rev | undefined, ms: number): Promise<Stored<V> | undefined> => {
    const until = clock.now() + ms
    for (let wait = firstWaitMs; ; wait = Math.min(wait * 2, mostWaitMs)) {
      const current = await get<V>(key)
      const left = until - clock.now()
      if (current?.rev !== than || left <= 0) return current
      await clock.sleep(Math.min(wait, left))
    }
  }
  return {
    get,
    getMany: (keys) => batchGet(context, keys),
    async write(write) {
      checkWrite(write)
      return writeOne(context, write)
    },
    async transact(writes) {
      checkTransaction(writes)
      const counter = writes.find(({ op }) => op === 'add')
      const transact = () => transactWrites(context, writes)
      return counter === undefined ? transact() : turns.run(JSON.stringify(toKey(keyOf(counter))), transact)
    },
    query: async (query) => (isPk(query.pk) ? queryPage(context, query) : { items: [] }),
    queryKeys: async (query) => (isPk(query.pk) ? queryKeys(context, query) : { items: [] }),
    async add(key, by, bound) {
      const add = { op: 'add', key, by, bound } as const
      checkWrite(add)
      return addTo(context, add)
    },
    waitForChange,
    scan: (part) => scanPage(context, part),
  }
}
