import { randomUUID } from 'node:crypto'
import { acceptConnection, type Shown } from '#functions/websocket/accept.ts'
import { answerFrame } from '#functions/websocket/frames.ts'
import { type ServerFrame, serverFrameSchema } from '#shared/contracts/realtime.ts'
import type { Connection } from '#shared/domain/realtime/connection.ts'
import type { Platform, Pushed, Realtime } from '#shared/platform/platform.ts'

/** As if a connection watched so much already. */
export const fillWatches = async ({ volatile }: Platform, connection: string, many: number): Promise<void> => {
  const item = await volatile.get<Connection>({ pk: `platform#connection#${connection}`, sk: 'head' })
  if (item === undefined) throw new Error(`there is no connection ${connection}`)
  const watches = Array.from({ length: many }, (_, at) => ({ topic: 'tasks', id: `${at}` }))
  await volatile.write({ op: 'put', item: { ...item, value: { ...item.value, watches } }, expect: 'any' })
}

type Recorded = { frames: ServerFrame[]; closed?: { code: number; reason: string }; outcome: Pushed | 'FAILS' }

/** Sockets without wires: what each would have received, or how it fails. */
export const recordedSockets = () => {
  const sockets = new Map<string, Recorded>()
  const realtime: Realtime = {
    url: () => 'wss://sockets.test',
    async push(connection, text) {
      const socket = sockets.get(connection)
      if (socket === undefined || socket.closed !== undefined) return 'GONE'
      if (socket.outcome === 'FAILS') throw new Error('throttled')
      if (socket.outcome === 'SENT') socket.frames.push(serverFrameSchema.parse(JSON.parse(text)))
      return socket.outcome
    },
    async close(connection, why) {
      const socket = sockets.get(connection)
      if (socket) socket.closed = why
    },
  }
  return {
    realtime,
    /** A connection of whoever shows this. */
    async open(platform: Platform, shown: Shown) {
      const id = `con-${randomUUID()}`
      const socket: Recorded = { frames: [], outcome: 'SENT' }
      sockets.set(id, socket)
      await acceptConnection(platform, id, shown)
      return {
        id,
        socket,
        /** The frames that came in answer to this one; what it is told meanwhile is not among them. */
        async say(frame: unknown): Promise<ServerFrame[]> {
          const answers: ServerFrame[] = []
          const push: Realtime['push'] = async (connection, text) => {
            const outcome = await realtime.push(connection, text)
            if (connection === id && outcome === 'SENT') answers.push(serverFrameSchema.parse(JSON.parse(text)))
            return outcome
          }
          const text = typeof frame === 'string' ? frame : JSON.stringify(frame)
          await answerFrame({ ...platform, realtime: { ...realtime, push } }, id, text)
          return answers
        },
        of: (type: ServerFrame['type']) => socket.frames.filter((frame) => frame.type === type),
      }
    },
  }
}
export type RecordedSocket = Awaited<ReturnType<ReturnType<typeof recordedSockets>['open']>>
