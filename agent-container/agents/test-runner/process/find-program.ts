import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import path from 'node:path'

const isExecutable = async (file: string): Promise<boolean> => {
  const found = await stat(file).catch(() => undefined)
  if (!found?.isFile()) return false
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  )
}

/** The first of the folders of `PATH` that holds the program. */
export const findProgram = async (name: string, searchPath: string): Promise<string | undefined> => {
  for (const folder of searchPath.split(path.delimiter)) {
    const file = path.join(folder, name)
    if (path.isAbsolute(folder) && (await isExecutable(file))) return file
  }
  return undefined
}
