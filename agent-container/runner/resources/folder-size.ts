import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** https://man7.org/linux/man-pages/man3/stat.3type.html: `st_blocks` counts these, whatever the file system's are. */
const blockBytes = 512

/** Bytes that a folder takes on its disk; what vanishes meanwhile is not counted. It stops where it is above `enough`. */
export const folderSize = async (folder: string, enough: number): Promise<number> => {
  let size = 0
  const pending = [folder]
  for (let next = pending.pop(); next !== undefined && size <= enough; next = pending.pop()) {
    const current = next
    const entries = await readdir(current, { withFileTypes: true }).catch(() => [])
    for (const entry of entries) {
      const path = join(current, entry.name)
      if (entry.isDirectory()) pending.push(path)
      else size += ((await lstat(path).catch(() => undefined))?.blocks ?? 0) * blockBytes
    }
  }
  return size
}
