import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { SourceFile } from './source-files.ts'

/** As UTF-8, without a byte order mark. */
export const readSource = async (folder: string, file: Pick<SourceFile, 'path'>): Promise<string> => {
  const text = await readFile(path.join(folder, file.path), 'utf8')
  return text.startsWith('\uFEFF') ? text.slice(1) : text
}
