import { DatabaseSync } from 'node:sqlite'
import { indexNames } from '../platform.ts'

const itemTable = (name: string): string => `
  CREATE TABLE ${name} (
    pk TEXT NOT NULL, sk TEXT NOT NULL, type TEXT NOT NULL, rev TEXT NOT NULL, value TEXT NOT NULL,
    expires_at INTEGER, ${indexNames.map((index) => `${index}_pk TEXT, ${index}_sk TEXT`).join(', ')},
    PRIMARY KEY (pk, sk)
  ) WITHOUT ROWID;
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
     seq INTEGER PRIMARY KEY AUTOINCREMENT, pk TEXT NOT NULL, sk TEXT NOT NULL, at INTEGER NOT NULL,
     before_type TEXT, before_rev TEXT, before_value TEXT, after_type TEXT, after_rev TEXT, after_value TEXT
   );
   CREATE INDEX changes_at ON changes (at);
   CREATE TABLE checkpoints (consumer TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;`,
]

/** Opens a connection; with `synchronous = FULL` a commit returns after its flush. */
export const openDatabase = (file: string, { readOnly = false } = {}): DatabaseSync => {
  const database = new DatabaseSync(file, { readOnly, timeout: 5000 })
  if (!readOnly)
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 2000;')
  database.exec('PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;')
  return database
}

/** Brings the schema to this program's version; a file of a newer program is refused. */
export const migrate = (database: DatabaseSync): void => {
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number }
  if (version > migrations.length)
    throw new Error(
      `the data folder has schema version ${version}, and this DevCycle knows ${migrations.length}; start a newer DevCycle on it`,
    )
  for (const [at, step] of migrations.entries()) {
    if (at < version) continue
    database.exec(`BEGIN IMMEDIATE; ${step} PRAGMA user_version = ${at + 1}; COMMIT;`)
  }
}
