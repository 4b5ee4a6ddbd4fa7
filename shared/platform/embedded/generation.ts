import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'

/** Beside the data folder, so that restoring a backup of the folder cannot bring an old generation back. */
const fileOf = (dataDir: string): string => `${dataDir}.generation`

const write = (dataDir: string, generation: number): number => {
  const file = fileOf(dataDir)
  const handle = openSync(`${file}.tmp`, 'w', 0o600)
  writeSync(handle, `${generation}\n`)
  fsyncSync(handle)
  closeSync(handle)
  renameSync(`${file}.tmp`, file)
  return generation
}

const unixSeconds = (): number => Math.floor(Date.now() / 1000)

const known = (dataDir: string): number | undefined => {
  try {
    const text = readFileSync(fileOf(dataDir), 'utf8').trim()
    return /^\d{1,12}$/.test(text) ? Number(text) : undefined
  } catch {
    return undefined
  }
}

/** The first half of every fence; made at the first start. */
export const readGeneration = (dataDir: string): number => known(dataDir) ?? write(dataDir, unixSeconds())

/** After a restore: greater than every generation before. */
export const bumpGeneration = (dataDir: string): number =>
  write(dataDir, Math.max((known(dataDir) ?? 0) + 1, unixSeconds()))
