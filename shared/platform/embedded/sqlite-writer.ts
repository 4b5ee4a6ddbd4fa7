/**
 * The writer thread: the only one that writes the database. Everything that waits shares one commit, and nothing is
 * answered before that commit is flushed.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { type Expect, indexNames, type Key } from '../platform.ts'
import type {
  RawItem,
  RawRow,
  RawWrite,
  TableName,
  WriterAnswer,
  WriterReply,
  WriterRequest,
} from './sqlite-messages.ts'
import { migrate, openDatabase } from './sqlite-schema.ts'

const port = parentPort
if (port === null) throw new Error('the SQLite writer runs as a worker thread')

const database = openDatabase((workerData as { file: string }).file)
migrate(database)

const indexColumns = indexNames.flatMap((index) => [`${index}_pk`, `${index}_sk`])
const columns = ['pk', 'sk', 'type', 'rev', 'value', 'expires_at', ...indexColumns]

const prepare = (table: TableName) => ({
  get: database.prepare(`SELECT * FROM ${table} WHERE pk = ? AND sk = ?`),
  put: database.prepare(
    `INSERT OR REPLACE INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
  ),
  delete: database.prepare(`DELETE FROM ${table} WHERE pk = ? AND sk = ?`),
  purge: database.prepare(`DELETE FROM ${table} WHERE expires_at <= ?`),
})
const tables = { main: prepare('main'), volatile: prepare('volatile') }
const addChange = database.prepare(
  `INSERT INTO changes (pk, sk, at, before_type, before_rev, before_value, after_type, after_rev, after_value)
   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
)
const saveCheckpoint = database.prepare('INSERT OR REPLACE INTO checkpoints (consumer, seq) VALUES (?, ?)')
const purgeChanges = database.prepare('DELETE FROM changes WHERE at < ?')
const begin = database.prepare('BEGIN IMMEDIATE')
const commit = database.prepare('COMMIT')
const rollback = database.prepare('ROLLBACK')

type Touched = WriterReply['changed']

const current = (table: TableName, key: Key, now: number): RawRow | undefined => {
  const row = tables[table].get.get(key.pk, key.sk) as RawRow | undefined
  return row && (row.expires_at === null || row.expires_at > now) ? row : undefined
}

const holds = (expect: Expect, row: RawRow | undefined): boolean =>
  expect === 'any' || (expect === 'absent' ? row === undefined : row?.rev === expect.rev)

const keyOf = (write: RawWrite): Key => (write.op === 'put' ? write.item : write.key)

/** A put whose own rev is stored already was done before, and its answer was lost. */
const wasDone = (write: RawWrite, row: RawRow | undefined): boolean => write.op === 'put' && row?.rev === write.item.rev

const putItem = (table: TableName, item: RawItem): void => {
  const places = indexNames.flatMap((index) => [item.index[index]?.pk ?? null, item.index[index]?.sk ?? null])
  tables[table].put.run(item.pk, item.sk, item.type, item.rev, item.value, item.expiresAt, ...places)
}

const recordChange = (key: Key, now: number, before: RawRow | undefined, after: RawItem | undefined): void => {
  addChange.run(
    key.pk,
    key.sk,
    now,
    before?.type ?? null,
    before?.rev ?? null,
    before?.value ?? null,
    after?.type ?? null,
    after?.rev ?? null,
    after?.value ?? null,
  )
}

const apply = (table: TableName, write: RawWrite, row: RawRow | undefined, now: number, touched: Touched): void => {
  if (write.op === 'check' || (write.op === 'delete' && row === undefined)) return
  const key = keyOf(write)
  if (write.op === 'put') putItem(table, write.item)
  else tables[table].delete.run(key.pk, key.sk)
  if (table === 'main') recordChange(key, now, row, write.op === 'put' ? write.item : undefined)
  touched.push({ table, key: { pk: key.pk, sk: key.sk } })
}

const runWrites = (request: Extract<WriterRequest, { kind: 'write' }>, touched: Touched): WriterAnswer => {
  const { id, table, now, writes } = request
  const rows = writes.map((write) => current(table, keyOf(write), now))
  if (
    writes.every((write, at) => write.op !== 'put' || wasDone(write, rows[at])) &&
    writes.some(({ op }) => op === 'put')
  )
    return { id, ok: true }
  const conflicts = writes.flatMap((write, at) => (holds(write.expect, rows[at]) ? [] : [{ at, current: rows[at] }]))
  if (conflicts.length > 0) return { id, ok: true, conflicts }
  for (const [at, write] of writes.entries()) apply(table, write, rows[at], now, touched)
  return { id, ok: true }
}

const runAdd = (request: Extract<WriterRequest, { kind: 'add' }>, touched: Touched): WriterAnswer => {
  const { id, table, key, now, by, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, rev } = request
  const row = current(table, key, now)
  const sum = (row ? Number(JSON.parse(row.value)) : 0) + by
  if (sum < min || sum > max) return { id, ok: true, number: null }
  const item: RawItem = { ...key, type: 'counter', rev, value: JSON.stringify(sum), expiresAt: null, index: {} }
  apply(table, { op: 'put', item, expect: 'any' }, row, now, touched)
  return { id, ok: true, number: sum }
}

const run = (request: WriterRequest, touched: Touched): WriterAnswer => {
  if (request.kind === 'write') return runWrites(request, touched)
  if (request.kind === 'add') return runAdd(request, touched)
  if (request.kind === 'checkpoint') saveCheckpoint.run(request.consumer, request.seq)
  else {
    tables.main.purge.run(request.now)
    tables.volatile.purge.run(request.now)
    purgeChanges.run(request.changesBefore)
  }
  return { id: request.id, ok: true }
}

const waiting = (first: WriterRequest[]): WriterRequest[] => {
  const requests = [...first]
  for (let more = receiveMessageOnPort(port); more; more = receiveMessageOnPort(port))
    requests.push(...(more.message as WriterRequest[]))
  return requests
}

const commitAll = (requests: WriterRequest[]): WriterReply => {
  const changed: Touched = []
  try {
    begin.run()
    const answers = requests.map((request) => run(request, changed))
    commit.run()
    return { answers, changed }
  } catch (error) {
    if (database.isTransaction) rollback.run()
    const text = error instanceof Error ? error.message : String(error)
    return { answers: requests.map(({ id }) => ({ id, ok: false, error: text })), changed: [] }
  }
}

port.on('message', (first: WriterRequest[] | 'close') => {
  if (first === 'close') {
    database.close()
    port.close()
    return
  }
  port.postMessage(commitAll(waiting(first)))
})
port.postMessage('ready')
