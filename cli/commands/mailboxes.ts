import type { MailPage } from '#shared/contracts/mailboxes.ts'
import type { Client } from '../client/client.ts'
import { toQuery } from '../client/query.ts'
import { note, noteMore, print, printJson, printTable } from '../render/print.ts'
import type { Column } from '../render/table.ts'
import { plain } from '../render/terminal.ts'
import { ago } from '../render/time.ts'

type Shown = { json?: boolean }
type Mail = MailPage['items'][number]

const pathOf = (agent: string): string => `/mailboxes/${encodeURIComponent(agent)}`

const columns: Column[] = [
  { title: 'MESSAGE' },
  { title: 'RECEIVED', align: 'right' },
  { title: 'AGE', align: 'right' },
  { title: 'CONVERSATION' },
  { title: 'TYPE' },
  { title: 'DATA', cut: { at: 'end', least: 20 } },
]

const toRow = ({ receives, message }: Mail): string[] => [
  message.id,
  String(receives),
  ago(message.time),
  plain(message.conversation ?? ''),
  plain(message.type),
  plain(message.dataref ?? JSON.stringify(message.data) ?? ''),
]

/** What waits in a mailbox; `take`: received, so that nobody else gets it for a while. */
export const listMail = async (
  client: Client,
  agent: string,
  { json, limit, take }: Shown & { limit: number; take?: boolean },
): Promise<void> => {
  const query = { max: Math.min(limit, 100), ...(!take && { visibilitySeconds: 0 }) }
  const page = await client.request<MailPage>('GET', `${pathOf(agent)}/messages${toQuery(query)}`)
  if (json) return printJson(page)
  printTable(columns, page.items.map(toRow), 'no messages')
}

/** Acknowledges messages by their ids, or all that was received up to a position. */
export const acknowledgeMail = async (
  client: Client,
  agent: string,
  ids: string[],
  { json, upTo }: Shown & { upTo?: string },
): Promise<void> => {
  const body = upTo === undefined ? { ids } : { upTo }
  const answer = await client.request<{ acknowledged: string[] }>('POST', `${pathOf(agent)}/ack`, { body })
  if (json) return printJson(answer)
  print(`${answer.acknowledged.length} acknowledged`)
  const missing = ids.filter((id) => !answer.acknowledged.includes(id))
  if (missing.length > 0) note(`not in this mailbox, or dead letters: ${missing.join(', ')}`)
}

type Dead = {
  items: { receives: number; reason: { code: string; message: string }; message: Mail['message']; deadSince: string }[]
  nextCursor: string | null
}

const deadColumns: Column[] = [
  { title: 'MESSAGE' },
  { title: 'TYPE' },
  { title: 'DEAD', align: 'right' },
  { title: 'CODE' },
  { title: 'REASON', cut: { at: 'end', least: 20 } },
]

/** Dead letters of a mailbox with their reasons. */
export const listDeadMail = async (
  client: Client,
  agent: string,
  { json, limit, cursor }: Shown & { limit: number; cursor?: string },
): Promise<void> => {
  const page = await client.get<Dead>(`${pathOf(agent)}/dead-letters${toQuery({ limit, cursor })}`)
  if (json) return printJson(page)
  const rows = page.items.map(({ reason, message, deadSince }) => [
    message.id,
    plain(message.type),
    ago(deadSince),
    reason.code,
    plain(reason.message),
  ])
  printTable(deadColumns, rows, 'no dead letters')
  noteMore(page)
}

/** Puts dead letters back into the mailbox. */
export const redriveMail = async (client: Client, agent: string, ids: string[], { json }: Shown): Promise<void> => {
  const body = ids.length > 0 ? { ids } : {}
  const answer = await client.request<{ redriven: number }>('POST', `${pathOf(agent)}/redrive`, { body })
  if (json) printJson(answer)
  else print(`${answer.redriven} wait again`)
}
