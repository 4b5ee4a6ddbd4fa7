import { accessSync, constants, createWriteStream, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { usageError } from '../failure.ts'
import { interruptible } from '../interrupt.ts'

const reasons: Record<string, string> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'there is no permission',
  ENOTDIR: 'a part of its path is a file',
}

/** Why a file could not be used, for people. */
export const reasonOf = (error: unknown): string => {
  const { code = '', message } = error as NodeJS.ErrnoException
  return reasons[code] ?? message
}

/** Refuses a file that could not be written, before the work whose result it is meant for. */
export const checkWritable = (file: string): void => {
  const found = statSync(file, { throwIfNoEntry: false })
  if (found?.isDirectory()) throw usageError(`${file} cannot be written: it is a folder`)
  try {
    accessSync(found ? file : dirname(file), constants.W_OK)
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw usageError(`${file} cannot be written: ${missing ? `there is no folder ${dirname(file)}` : reasonOf(error)}`)
  }
}

/** Refuses what is no readable file. */
export const checkReadable = (file: string): void => {
  try {
    accessSync(file, constants.R_OK)
    if (statSync(file).isDirectory()) throw usageError(`${file} cannot be read: it is a folder`)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    throw usageError(`${file} cannot be read: ${reasonOf(error)}`)
  }
}

/** Works with a readable file; `-` is one of what standard input has, for that long. */
export const withReadable = async (file: string, work: (path: string) => Promise<void>): Promise<void> => {
  if (file !== '-') {
    checkReadable(file)
    return work(file)
  }
  const folder = await mkdtemp(join(tmpdir(), 'devcycle-stdin-'))
  try {
    const path = join(folder, 'standard-input')
    await interruptible(
      (signal) => pipeline(process.stdin, createWriteStream(path, { mode: 0o600 }), { signal }),
      () => 'nothing was sent',
    )
    await work(path)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
