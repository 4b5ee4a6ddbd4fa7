import { readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { usageError } from '../failure.ts'
import { type Client, createClient } from './client.ts'
import { UnreachableError } from './errors.ts'

export type Connection = { url?: string; apiKey?: string; data?: string }

/** A text field of a small JSON file that a server on this machine left; anything else is as if it were not there. */
const readField = (file: string, field: string): string | undefined => {
  try {
    const value = (JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>)[field]
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}

const parseUrl = (text: string): URL => {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol))
    throw usageError(`${text} is not the address of a server; one looks like http://127.0.0.1:8787`)
  return url
}

const checkKey = (key: string | undefined): string | undefined => {
  if (key !== undefined && !/^[\x21-\x7e]+$/.test(key)) throw usageError('the API key has signs that no key has')
  return key
}

const loopback = new Set(['localhost', '127.0.0.1', '[::1]'])

/**
 * Where the server is and what proves who asks: options and environment, else what a server on this machine left in
 * its data folder. That key is told to that server and to this machine, never to another address.
 */
export const connect = (options: Connection): Client => {
  const data = resolve(options.data || '.devcycle')
  const shown = relative('', data).startsWith('..') ? data : relative('', data) || '.'
  const local = readField(join(data, 'server.json'), 'url')
  const address = options.url || local
  if (address === undefined)
    throw new UnreachableError(
      `no server runs on the data folder ${shown}; start one (devcycle start), or name one (--url, --data)`,
    )
  const url = parseUrl(address)
  const ours = loopback.has(url.hostname) || (local !== undefined && url.origin === URL.parse(local)?.origin)
  const apiKey = options.apiKey || (ours ? readField(join(data, 'credentials.json'), 'apiKey') : undefined)
  const hint = options.url ? undefined : `${shown}/server.json names it, but it is gone: devcycle start`
  const path = url.pathname.replace(/\/+$/, '').replace(/\/api\/v2$/, '')
  return createClient({ url: `${url.origin}${path}`, apiKey: checkKey(apiKey), hint })
}
