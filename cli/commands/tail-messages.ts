import type { MessageResponse } from '#shared/contracts/messages.ts'
import type { Client } from '../client/client.ts'
import { toQuery } from '../client/query.ts'
import { watchChanges } from '../client/socket.ts'
import { interruptible } from '../interrupt.ts'
import { note, print } from '../render/print.ts'
import { plain } from '../render/terminal.ts'
import { toText } from './messages.ts'

type Filter = { kind?: string; type?: string; conversation?: string }
type Options = Filter & { json?: boolean }
type Page = { items: MessageResponse[] }

const mostAtOnce = 200
/** So many that were printed are known again. */
const mostKnown = 5000

const fits = (message: MessageResponse, { kind, type, conversation }: Filter): boolean =>
  (kind === undefined || message.kind === kind) &&
  (type === undefined || message.type === type) &&
  (conversation === undefined || message.conversation === conversation)

/** Prints messages that are newer than the latest one there was, each once, if they are wanted. */
const createPrinter = (latest: MessageResponse | undefined, { json, ...filter }: Options) => {
  const known = new Set<string>(latest && [latest.id])
  return {
    knows: (id: string): boolean => known.has(id),
    show(message: MessageResponse): void {
      const { id, time, kind, type } = message
      if (known.has(id) || (latest !== undefined && time < latest.time)) return
      known.add(id)
      if (known.size > mostKnown) for (const oldest of [...known].slice(0, mostKnown / 2)) known.delete(oldest)
      if (fits(message, filter))
        print(json ? JSON.stringify(message) : plain(`${time}  ${id}  ${kind}  ${type}  → ${toText(message)}`))
    },
  }
}

/** Prints messages as they are sent, until it is interrupted; after an outage those that were sent meanwhile as well. */
export const tailMessages = (client: Client, options: Options): Promise<void> =>
  interruptible(
    (signal) => tail(client, options, signal),
    () => 'messages go on without being watched',
  )

const tail = async (client: Client, options: Options, signal: AbortSignal): Promise<void> => {
  const newest = async (limit: number) => (await client.get<Page>(`/messages${toQuery({ limit })}`)).items
  const printer = createPrinter((await newest(1))[0], options)
  const onLost = (error: Error): void => note(`${error.message}; trying again`)
  for await (const frame of watchChanges(client, { topic: 'sent' }, { signal, onLost })) {
    if (frame.type === 'subscribed') note('watching messages')
    if (frame.type === 'subscribed' || frame.type === 'resync')
      for (const message of (await newest(mostAtOnce)).reverse()) printer.show(message)
    if (frame.type === 'changed' && !printer.knows(frame.id))
      printer.show(await client.get<MessageResponse>(`/messages/${frame.id}`))
  }
}
