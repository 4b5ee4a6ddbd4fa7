import type { HookResponse } from '#shared/contracts/hooks.ts'
import type { Client } from '../client/client.ts'
import { toQuery } from '../client/query.ts'
import { note, noteMore, print, printFields, printJson, printTable } from '../render/print.ts'
import type { Column } from '../render/table.ts'
import { plain } from '../render/terminal.ts'
import { ago } from '../render/time.ts'

type Shown = { json?: boolean }
type Page<T> = { items: T[]; nextCursor: string | null }

export type CreateHookOptions = Shown & {
  scheme: string
  topic: string
  secret?: string
  description?: string
  idempotencyKey?: string
}

const pathOf = (name: string): string => `/hooks/${encodeURIComponent(name)}`

const tellSecret = ({ path, secret }: HookResponse): void => {
  printFields([
    ['path', path],
    ['secret', secret],
  ])
  note(secret ? 'keep the secret: it is not shown again' : 'it was made before; its secret is not shown again')
}

/** Makes a hook. */
export const createHook = async (client: Client, name: string, options: CreateHookOptions): Promise<void> => {
  const { scheme, topic, secret, description, idempotencyKey, json } = options
  const headers = idempotencyKey === undefined ? undefined : { 'idempotency-key': idempotencyKey }
  const hook = await client.create<HookResponse>('/hooks', { name, scheme, topic, secret, description }, { headers })
  if (json) printJson(hook)
  else tellSecret(hook)
}

/** One hook. */
export const getHook = async (client: Client, name: string, { json }: Shown): Promise<void> => {
  const hook = await client.get<HookResponse>(pathOf(name))
  if (json) return printJson(hook)
  printFields([
    ['name', hook.name],
    ['path', hook.path],
    ['scheme', hook.scheme],
    ['topic', hook.topic],
    ['description', hook.description && plain(hook.description)],
    ['secrets', hook.previousSecretUntil && `the one before is good as well until ${hook.previousSecretUntil}`],
    ['created', hook.createdAt],
  ])
}

const columns: Column[] = [
  { title: 'HOOK' },
  { title: 'SCHEME' },
  { title: 'TOPIC' },
  { title: 'AGE', align: 'right' },
  { title: 'PATH', cut: { at: 'end', least: 24 } },
]

/** Hooks as a table. */
export const listHooks = async (
  client: Client,
  { limit, cursor, json }: Shown & { limit: number; cursor?: string },
): Promise<void> => {
  const page = await client.get<Page<HookResponse>>(`/hooks${toQuery({ limit, cursor })}`)
  if (json) return printJson(page)
  const rows = page.items.map(({ name, scheme, topic, createdAt, path }) => [name, scheme, topic, ago(createdAt), path])
  printTable(columns, rows, 'no hooks')
  noteMore(page)
}

/** Gives it a new secret. */
export const rotateHook = async (client: Client, name: string, { json }: Shown): Promise<void> => {
  const hook = await client.request<HookResponse>('POST', `${pathOf(name)}/rotate-secret`)
  if (json) printJson(hook)
  else tellSecret(hook)
}

/** Deletes a hook. */
export const deleteHook = async (client: Client, name: string, { json }: Shown): Promise<void> => {
  await client.request('DELETE', pathOf(name))
  if (!json) print(`${name} is deleted`)
}
