import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { writeDurably } from './durable-file.ts'

/** Beside the data folder, so that restoring a backup of the folder cannot bring an old generation back. */
const fileOf = (dataDir: string): string => `${resolve(dataDir)}.generation`

const unixSeconds = (): number => Math.floor(Date.now() / 1000)

const known = (dataDir: string): number | undefined => {
  try {
    const text = readFileSync(fileOf(dataDir), 'utf8').trim()
    if (/^\d{1,12}$/.test(text)) return Number(text)
    throw new Error(`${fileOf(dataDir)} is a whole number; received ${JSON.stringify(text.slice(0, 40))}`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

const write = (dataDir: string, generation: number): number => {
  writeDurably(fileOf(dataDir), `${generation}\n`)
  return generation
}

/** The first half of every fence; made at the first start. */
export const readGeneration = (dataDir: string): number => known(dataDir) ?? write(dataDir, unixSeconds())

/** After a restore: greater than every generation before. */
export const bumpGeneration = (dataDir: string): number =>
  write(dataDir, Math.max((known(dataDir) ?? 0) + 1, unixSeconds()))
