import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export type FolderLock = { release(): void }

/** https://www.sqlite.org/rescode.html#busy */
const busy = 5

/** A lock that nobody refers to would be collected, and with it the lock of the operating system. */
const held = new Set<DatabaseSync>()

/**
 * Holds a data folder for this process alone. The lock is the operating system's own on an open file: it ends with
 * the process, however that ends, and no process id can be mistaken for another's.
 */
export const lockFolder = (dataDir: string): FolderLock => {
  const database = open(dataDir)
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;')
  } catch (error) {
    database.close()
    if ((error as { errcode?: number }).errcode !== busy) throw unusable(dataDir, error)
    throw new Error(`another DevCycle server is running on ${dataDir}; stop it, or choose another folder with --data`, {
      cause: error,
    })
  }
  held.add(database)
  return {
    release() {
      held.delete(database)
      database.close()
    },
  }
}

const open = (dataDir: string): DatabaseSync => {
  try {
    return new DatabaseSync(join(dataDir, 'lock.db'), { timeout: 0 })
  } catch (error) {
    throw unusable(dataDir, error)
  }
}

const unusable = (dataDir: string, cause: unknown): Error =>
  new Error(`the data folder ${dataDir} cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`, {
    cause,
  })
