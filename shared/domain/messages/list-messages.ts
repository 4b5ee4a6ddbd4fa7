import type { Platform } from '../../platform/platform.ts'
import type { Message } from './message.ts'
import { listMessages } from './message-store.ts'

export type MessageFilter = { kind?: string; type?: string; conversation?: string }

const matches = ({ envelope }: Message, { kind, type, conversation }: MessageFilter): boolean =>
  (kind === undefined || (envelope.kind ?? 'event') === kind) &&
  (type === undefined || envelope.type === type) &&
  (conversation === undefined || envelope.conversation === conversation)

/** So many messages are looked at for one page: a rare filter gives short pages, never a slow one. */
const maxExamined = 1000

/** Newest first. `cursor` goes on where the last page ended. */
export const listMessagesBy = async (
  ports: Pick<Platform, 'main'>,
  tenant: string,
  { filter, limit, cursor }: { filter: MessageFilter; limit: number; cursor?: string },
): Promise<{ items: Message[]; cursor?: string }> => {
  const items: Message[] = []
  let examined = 0
  let next = cursor
  do {
    const room = limit - items.length
    const page = await listMessages(ports, tenant, { limit: room, cursor: next })
    items.push(...page.items.map(({ value }) => value).filter((message) => matches(message, filter)))
    next = page.cursor
    examined += room
  } while (next !== undefined && items.length < limit && examined < maxExamined)
  return { items, cursor: next }
}
