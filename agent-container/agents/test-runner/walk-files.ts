import { readdir } from 'node:fs/promises'
import path from 'node:path'

const skipped = new Set(['node_modules', '.git', '.venv', 'venv'])

/** The files below a folder as paths from it, with `/`. Links are not followed. */
export const walkFiles = async function* (folder: string, inside = ''): AsyncGenerator<string> {
  const entries = await readdir(path.join(folder, inside), { withFileTypes: true }).catch(() => [])
  for (const entry of entries) {
    const name = inside === '' ? entry.name : `${inside}/${entry.name}`
    if (entry.isFile()) yield name
    else if (entry.isDirectory() && !skipped.has(entry.name)) yield* walkFiles(folder, name)
  }
}
