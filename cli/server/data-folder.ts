import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeDurably } from '#shared/platform/embedded/durable-file.ts'

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
  writeDurably(credentialsFile(dir), `${JSON.stringify(credentials)}\n`)

/** Tells clients on this machine where the server is. */
export const writeServerFile = (dir: string, server: { url: string; pid: number; version: string }): void =>
  writeDurably(serverFile(dir), `${JSON.stringify(server)}\n`)

export const removeServerFile = (dir: string): void => rmSync(serverFile(dir), { force: true })
