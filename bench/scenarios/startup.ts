import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { register, submit } from '../api.ts'
import { atMost, ms } from '../row.ts'
import { startProduct } from '../targets.ts'
import type { Scenario } from './scenario.ts'

const sizes = { finished: 1_000_000, queued: 100_000 }

/** Copies of one stored task under ids of their own; `due`: they have not ended. */
const copyTask = (database: DatabaseSync, id: string, count: number, { due }: { due: boolean }): void => {
  const row = database.prepare("SELECT * FROM main WHERE pk LIKE '%#task#' || ? AND sk = 'head'").get(id) as Row
  const columns = Object.keys(row)
  const marks = columns.map(() => '?').join(', ')
  const insert = database.prepare(`INSERT INTO main (${columns.join(', ')}) VALUES (${marks})`)
  database.exec('BEGIN')
  for (let n = 0; n < count; n++) {
    const other = `${id.slice(0, 20)}${String(due ? n : n + 5_000_000).padStart(10, '0')}`
    const copy: Row = {
      ...row,
      due_pk: due ? `platform#due#${n % 8}` : null,
      due_sk: due ? (row.due_sk ?? null) : null,
    }
    insert.run(...columns.map((column) => renamed(copy[column] ?? null, id, other)))
  }
  database.exec('COMMIT')
}

type Row = Record<string, string | number | null>
const renamed = (value: string | number | null, id: string, other: string): string | number | null =>
  typeof value === 'string' ? value.replaceAll(id, other) : value

/** A start over a million tasks that have ended and a hundred thousand that are queued: until it is ready. */
export const startup: Scenario = async () => {
  const first = await startProduct(['--no-agents'])
  await register(first, 'start')
  const id = await submit(first, 'start')
  first.stop()
  await sleep(1500)
  const database = new DatabaseSync(`${first.dataDir}/devcycle.db`)
  copyTask(database, id, sizes.queued, { due: true })
  copyTask(database, id, sizes.finished, { due: false })
  database.close()
  const again = await startProduct(['--no-agents'], first.dataDir)
  again.stop()
  return [
    atMost('start over 1,000,000 finished and 100,000 queued tasks', again.readyMs / 1000, 5, ms(again.readyMs), {
      unit: ' s',
    }),
  ]
}
