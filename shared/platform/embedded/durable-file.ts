import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs'
import { mkdir, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

const flush = (path: string): void => {
  const handle = openSync(path, 'r')
  fsyncSync(handle)
  closeSync(handle)
}

/** Replaces a small file, for its owner alone; when it returns, the new content is there whatever happens. */
export const writeDurably = (file: string, content: string | Uint8Array): void => {
  const temporary = `${file}.${process.pid}.tmp`
  const handle = openSync(temporary, 'w', 0o600)
  writeSync(handle, Buffer.from(content))
  fsyncSync(handle)
  closeSync(handle)
  renameSync(temporary, file)
  flush(dirname(file))
}

/** Makes what was created or renamed in a folder last. */
export const flushFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r')
  await handle.sync().finally(() => handle.close())
}

const isFolder = async (path: string): Promise<boolean> => {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/**
 * Makes a folder with its parents, and makes them last. Folder by folder: the recursive `mkdir` of Node never returns
 * where a system takes no folders and says that there is no such file, as `/proc` does.
 */
export const makeFolder = async (folder: string): Promise<void> => {
  if (await isFolder(folder)) return
  if (folder !== dirname(folder)) await makeFolder(dirname(folder))
  await mkdir(folder, { mode: 0o700 }).catch(async (error: unknown) => {
    if (!(await isFolder(folder))) throw error // otherwise somebody else was quicker
  })
  await flushFolder(dirname(folder))
}
