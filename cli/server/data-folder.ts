import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** Writes a small file so that it is there whole or not at all, also after power loss. */
const writeDurably = (file: string, text: string, mode: number): void => {
  const temporary = `${file}.${randomBytes(4).toString('hex')}.tmp`
  const handle = openSync(temporary, 'w', mode)
  writeSync(handle, text)
  fsyncSync(handle)
  closeSync(handle)
  renameSync(temporary, file)
}

const readJson = <T>(file: string): T | undefined => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T
  } catch {
    return undefined
  }
}

const credentialsFile = (dir: string): string => join(dir, 'credentials.json')
const serverFile = (dir: string): string => join(dir, 'server.json')

/** The administrator's key that the first start made, if it is there. */
export const readCredentials = (dir: string): { apiKey: string } | undefined => {
  const found = readJson<{ apiKey?: unknown }>(credentialsFile(dir))
  return typeof found?.apiKey === 'string' ? { apiKey: found.apiKey } : undefined
}

export const writeCredentials = (dir: string, credentials: { apiKey: string }): void =>
  writeDurably(credentialsFile(dir), `${JSON.stringify(credentials)}\n`, 0o600)

/** Tells clients on this machine where the server is. */
export const writeServerFile = (dir: string, server: { url: string; pid: number; version: string }): void =>
  writeDurably(serverFile(dir), `${JSON.stringify(server)}\n`, 0o644)

export const removeServerFile = (dir: string): void => rmSync(serverFile(dir), { force: true })
