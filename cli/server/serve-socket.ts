import type { WebSocket } from 'ws'
import { answerFrame } from '#functions/websocket/frames.ts'
import { leave } from '#shared/domain/realtime/tell.ts'
import type { EmbeddedPlatform } from '#shared/platform/embedded/create-embedded-platform.ts'

/** Of more frames that wait to be answered no more is read. */
const mostWaiting = 16

type Opened = { id: string; socket: WebSocket; opened: Promise<unknown> }

/** Answers the frames of a socket one by one; resolves when it is closed and forgotten. */
export const serveSocket = (platform: EmbeddedPlatform, { id, socket, opened }: Opened): Promise<void> => {
  const { telemetry, realtime } = platform
  const failed = (error: unknown): void =>
    telemetry.log('error', 'a frame of a socket was not answered', { connection: id, error: String(error) })
  let waiting = 0
  let turn: Promise<unknown> = opened.catch((error: unknown) => {
    failed(error)
    socket.close(1011, 'it could not be opened; try again')
  })
  const take = async (before: Promise<unknown>, text: string): Promise<void> => {
    await before
    await answerFrame(platform, id, text).catch(failed)
    waiting--
    if (socket.isPaused) socket.resume()
  }
  socket.on('message', (data, isBinary) => {
    if (isBinary) return socket.close(1003, 'frames are text')
    waiting++
    if (waiting >= mostWaiting) socket.pause()
    turn = take(turn, String(data))
  })
  socket.on('error', () => undefined) // it is closed after it, with a code that says why
  return new Promise((resolve) => {
    socket.once('close', () => {
      realtime.detach(id)
      void turn
        .then(() => leave(platform, id))
        .catch(failed)
        .then(() => resolve())
    })
  })
}
