import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { CliError, exitCodes } from '../failure.ts'
import { type Client, createClient } from './client.ts'

export type Connection = { url?: string; apiKey?: string; data?: string }

const readField = (file: string, field: string): string | undefined => {
  try {
    const value = (JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>)[field]
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}

/** Where the server is and what proves who asks: options, then the environment, then what a server on this machine left. */
export const connect = (options: Connection): Client => {
  const data = resolve(options.data ?? process.env.DEVCYCLE_DATA ?? '.devcycle')
  const url = options.url ?? process.env.DEVCYCLE_URL ?? readField(join(data, 'server.json'), 'url')
  const apiKey = options.apiKey ?? process.env.DEVCYCLE_API_KEY ?? readField(join(data, 'credentials.json'), 'apiKey')
  if (url === undefined)
    throw new CliError(
      `no server is running on ${data}; start one with devcycle start, or name one with --url`,
      exitCodes.unreachable,
    )
  return createClient({ url: url.replace(/\/+$/, '').replace(/\/api\/v2$/, ''), apiKey })
}
