import { DatabaseSync } from 'node:sqlite'
import { indexNames } from '../platform.ts'

/** Where an item stands in each index. */
export const placeColumns = indexNames.flatMap((index) => [`${index}_pk`, `${index}_sk`])

const itemTable = (name: string): string => `
  CREATE TABLE ${name} (
    pk TEXT NOT NULL, sk TEXT NOT NULL, rev TEXT NOT NULL, item TEXT NOT NULL, expires_at INTEGER,
    ${placeColumns.map((column) => `${column} TEXT`).join(', ')},
    PRIMARY KEY (pk, sk)
  );
  ${indexNames
    .map(
      (index) => `CREATE INDEX ${name}_${index} ON ${name} (${index}_pk, ${index}_sk) WHERE ${index}_pk IS NOT NULL;`,
    )
    .join('\n')}
  CREATE INDEX ${name}_expires ON ${name} (expires_at) WHERE expires_at IS NOT NULL;`

/** Each step takes the schema one version forward; a step that was released is never changed. */
const migrations: string[] = [
  `${itemTable('main')}
   ${itemTable('volatile')}
   CREATE TABLE changes (
     seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, type TEXT NOT NULL, before TEXT, after TEXT
   );
   CREATE TABLE checkpoints (consumer TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;`,
  itemTable('workflows'),
  // The last change of a row, and of a change the one before it of its key, which has what was there.
  `ALTER TABLE main ADD COLUMN change INTEGER;
   ALTER TABLE volatile ADD COLUMN change INTEGER;
   ALTER TABLE workflows ADD COLUMN change INTEGER;
   ALTER TABLE changes ADD COLUMN previous INTEGER;`,
]

const writable = `
  PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
  PRAGMA wal_autocheckpoint = 2000; PRAGMA journal_size_limit = 67108864;`

/** Opens a connection; with `synchronous = FULL` a commit returns after its flush. */
export const openDatabase = (file: string, { readOnly = false } = {}): DatabaseSync => {
  const database = new DatabaseSync(file, { readOnly, timeout: 5000 })
  if (!readOnly) database.exec(writable)
  database.exec('PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;')
  return database
}

/** Brings the schema to this program's version, each step whole or not at all; a newer program's file is refused. */
export const migrate = (database: DatabaseSync, steps: string[] = migrations): void => {
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number }
  if (version > steps.length)
    throw new Error(
      `the data folder has schema version ${version}, and this DevCycle knows ${steps.length}; start a newer DevCycle on it`,
    )
  for (const [at, step] of steps.entries()) if (at >= version) runStep(database, step, at + 1)
}

const runStep = (database: DatabaseSync, step: string, version: number): void => {
  try {
    database.exec(`BEGIN IMMEDIATE; ${step}; PRAGMA user_version = ${version}; COMMIT;`)
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw new Error(`the data folder could not be brought to schema version ${version}`, { cause: error })
  }
}
