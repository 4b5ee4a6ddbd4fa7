import { verify as verifyGithub } from '@octokit/webhooks-methods'
import { Webhook } from 'standardwebhooks'
import { invalid } from '#shared/domain/domain-error.ts'
import type { HookReader, HookReaders, HookRequest } from '#shared/domain/hooks/hook.ts'
import { mostHops } from '#shared/domain/topics/topic.ts'
import { HttpError } from './errors.ts'
import { checkShape } from './read-body.ts'

type Payload = Record<string, unknown>
const longest = 200

const readPayload = ({ headers, body }: HookRequest): Payload => {
  const type = headers['content-type'] ?? ''
  if (!/\bjson\b/i.test(type))
    throw new HttpError(
      'UNSUPPORTED_MEDIA_TYPE',
      `the body is ${type || 'of no type'}; let it be sent as application/json`,
    )
  try {
    const payload: unknown = JSON.parse(body)
    checkShape(payload)
    if (payload !== null && typeof payload === 'object' && !Array.isArray(payload)) return payload as Payload
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new HttpError('MALFORMED_JSON', `the body is not JSON: ${error.message}`)
  }
  throw invalid('#', 'TYPE', 'the body is no JSON object')
}

const header = ({ headers }: HookRequest, name: string): string => {
  const value = headers[name] ?? ''
  if (/^[\x21-\x7e]{1,200}$/.test(value)) return value
  throw invalid(`#/headers/${name}`, 'INVALID', `${name} has 1 to 200 visible ASCII characters`)
}

/** A text that fits as it is: half of one would be another. */
const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' && value.length <= longest ? value : undefined

/** One more than there may be is enough: a way that was cut off below that would never be too long. */
const hopsOf = (value: unknown): string[] | undefined => {
  const hops = typeof value === 'string' ? value.split(' ').filter(Boolean) : []
  return hops.length === 0 ? undefined : hops.slice(0, mostHops + 1).map((hop) => hop.slice(0, longest))
}

/** https://www.standardwebhooks.com */
const standardWebhooks: HookReader = {
  async verify(secret, { headers, body }) {
    try {
      new Webhook(secret).verify(body, headers, { jsonParse: false })
      return true
    } catch {
      return false
    }
  },
  read(request) {
    const data = readPayload(request)
    const passed = data.specversion === '1.0' ? hopsOf(data.hops) : undefined
    const type = textOf(data.type) ?? 'webhook'
    return { delivery: header(request, 'webhook-id'), type, subject: textOf(data.subject), data, passed }
  },
}

/** https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries */
const github: HookReader = {
  verify: async (secret, { headers, body }) => {
    const signature = headers['x-hub-signature-256'] ?? ''
    return signature !== '' && body !== '' && (await verifyGithub(secret, body, signature))
  },
  read(request) {
    const data = readPayload(request)
    const action = textOf(data.action)
    const type = ['github', header(request, 'x-github-event'), ...(action ? [action] : [])].join('.')
    const repository = data.repository as Payload | null | undefined
    return { delivery: header(request, 'x-github-delivery'), type, subject: textOf(repository?.full_name), data }
  },
}

/** How requests of each scheme are verified and read. */
export const hookReaders: HookReaders = { 'standard-webhooks': standardWebhooks, github }
