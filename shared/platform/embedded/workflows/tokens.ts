import { LRUCache } from 'lru-cache'
import type { Random, RunRef } from '../../platform.ts'
import type { Draft } from './draft.ts'
import type { Frame } from './execution.ts'

const separator = ':'

type Place = { ref: RunRef; path: string }
/** Of those made lately: most are answered soon. */
const lately = new LRUCache<string, Place>({ max: 2000 })

/** A new token; what cannot be guessed is at its end. */
export const mintToken = ({ tenant, workflow, run }: RunRef, path: string, random: Random): string => {
  const address = Buffer.from(JSON.stringify([tenant, workflow, run, path])).toString('base64url')
  const token = [address, Buffer.from(random.bytes(16)).toString('base64url')].join(separator)
  lately.set(token, { ref: { tenant, workflow, run }, path })
  return token
}

/** The run and the frame that a token was made for. */
export const parseToken = (token: string): Place | undefined => lately.get(token) ?? parse(token)

const parse = (token: string): Place | undefined => {
  const [address = ''] = token.split(separator)
  try {
    const parts: unknown = JSON.parse(Buffer.from(address, 'base64url').toString('utf8'))
    if (!Array.isArray(parts) || parts.length !== 4 || !parts.every((part) => typeof part === 'string'))
      return undefined
    const [tenant = '', workflow = '', run = '', path = ''] = parts as string[]
    return { ref: { tenant, workflow, run }, path }
  } catch {
    return undefined
  }
}

/** The frame whose step has this token, while there is time for its answer. */
export const waitingFor = (draft: Draft, { path, token }: { path: string; token: string }): Frame | undefined => {
  const frame = draft.find(path)
  if (frame?.phase.kind !== 'task' || frame.phase.token !== token) return undefined
  const { timeoutAt = Number.POSITIVE_INFINITY, heartbeatAt = Number.POSITIVE_INFINITY } = frame.phase
  return draft.now < Math.min(timeoutAt, heartbeatAt) ? frame : undefined
}
