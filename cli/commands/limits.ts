import type { LimitResponse, LimitsResponse, PatchLimits } from '#shared/contracts/limits.ts'
import type { Client } from '../client/client.ts'
import { usageError } from '../failure.ts'
import { printJson, printTable } from '../render/print.ts'
import type { Column } from '../render/table.ts'
import { plain } from '../render/terminal.ts'

type Shown = { json?: boolean }
type Rate = { count: number; seconds: number }

const columns: Column[] = [
  { title: 'LIMIT' },
  { title: 'AT ONCE', align: 'right' },
  { title: 'RATE', align: 'right' },
  { title: 'RUNNING', align: 'right' },
  { title: 'HELD', align: 'right' },
  { title: 'STARTS LEFT', align: 'right' },
]

const rateOf = (rate: Rate | undefined): string => (rate === undefined ? '' : `${rate.count}/${rate.seconds} s`)

const toRow = (name: string, { concurrency, rate, use }: LimitResponse): string[] => [
  plain(name),
  String(concurrency ?? ''),
  rateOf(rate),
  concurrency === undefined ? '' : String(use.running),
  String(use.held),
  String(use.tokens ?? ''),
]

const rowsOf = ({ tenant, agents, keys, defaultKey, submitRate, prices }: LimitsResponse): string[][] => [
  ...(tenant ? [toRow('tenant', tenant)] : []),
  ...Object.entries(agents).map(([name, limit]) => toRow(`agent:${name}`, limit)),
  ...Object.entries(keys).map(([key, limit]) => toRow(`key:${key}`, limit)),
  ...(defaultKey ? [['default-key', String(defaultKey.concurrency ?? ''), rateOf(defaultKey.rate), '', '', '']] : []),
  ...(submitRate ? [['submit', '', rateOf(submitRate), '', '', String(submitRate.tokens)]] : []),
  ...Object.entries(prices).map(([name, dollars]) => [`price:${plain(name)}`, '', `$${dollars}/h`, '', '', '']),
]

const show = (limits: LimitsResponse, { json }: Shown): void =>
  json ? printJson(limits) : printTable(columns, rowsOf(limits), 'no limits')

/** The limits as a table. */
export const getLimits = async (client: Client, options: Shown): Promise<void> =>
  show(await client.get<LimitsResponse>('/limits'), options)

export type SetLimitOptions = Shown & {
  concurrency?: number | 'none'
  rate?: Rate | 'none'
  perHour?: number | 'none'
}

/** What `none` is for the API. */
const orNull = <T>(value: T | 'none'): T | null => (value === 'none' ? null : value)

const patchOf = (what: string, options: SetLimitOptions): PatchLimits => {
  const [kind, name] = [what.split(':', 1)[0], what.includes(':') ? what.slice(what.indexOf(':') + 1) : undefined]
  const [rate, perHour] = [orNull(options.rate), orNull(options.perHour)]
  const limit = { concurrency: orNull(options.concurrency), rate }
  if (what === 'tenant') return { tenant: limit }
  if (what === 'default-key') return { defaultKey: limit }
  if (what === 'submit') return { submitRate: rate }
  if (kind === 'agent' && name) return { agents: { [name]: limit } }
  if (kind === 'key' && name) return { keys: { [name]: limit } }
  if (kind === 'price' && name) return { prices: { [name]: perHour ?? null } }
  throw usageError(`${what} is no limit; name tenant, agent:NAME, key:KEY, default-key, submit or price:CLASS`)
}

/** Changes one limit, and shows all of them. */
export const setLimit = async (client: Client, what: string, options: SetLimitOptions): Promise<void> => {
  const { concurrency, rate, perHour } = options
  const wanted = what === 'submit' ? { rate } : what.startsWith('price:') ? { perHour } : { concurrency, rate }
  const body = patchOf(what, options)
  const flags = Object.keys(wanted).map((name) => (name === 'perHour' ? '--per-hour' : `--${name}`))
  if (Object.values(wanted).every((value) => value === undefined)) throw usageError(`say ${flags.join(' or ')}`)
  show(await client.request<LimitsResponse>('PATCH', '/limits', { body }), options)
}
