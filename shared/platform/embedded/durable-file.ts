import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
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

/** Makes a folder with its parents, and makes them last. */
export const makeFolder = async (folder: string): Promise<void> => {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  for (let at = dirname(folder); at.length >= dirname(first).length; at = dirname(at)) {
    await flushFolder(at)
    if (at === dirname(at)) return
  }
}
