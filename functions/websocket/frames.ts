import { describeError, HttpError } from '#functions/api/errors.ts'
import { checkShape, parseWith } from '#functions/api/read-body.ts'
import { type ClientFrame, clientFrameSchema, maxFrameBytes } from '#shared/contracts/realtime.ts'
import type { Connection } from '#shared/domain/realtime/connection.ts'
import { findConnection } from '#shared/domain/realtime/connection-store.ts'
import type { Failed, ServerFrame } from '#shared/domain/realtime/frame.ts'
import { leave, pushAll } from '#shared/domain/realtime/tell.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { type Answer, answers } from './answers.ts'
import { isFlood, takeFrame, tooManyFrames } from './frame-rate.ts'

/** The JSON object of a frame. */
const readFrame = (text: string): unknown => {
  if (Buffer.byteLength(text) > maxFrameBytes)
    throw new HttpError('PAYLOAD_TOO_LARGE', `a frame may have ${maxFrameBytes} bytes`)
  try {
    const value: unknown = JSON.parse(text)
    checkShape(value)
    return value
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new HttpError('MALFORMED_JSON', `the frame is not JSON: ${error.message}`)
  }
}

const refOf = (value: unknown): { ref?: string } => {
  const ref = typeof value === 'object' && value !== null && 'ref' in value ? value.ref : undefined
  return typeof ref === 'string' && ref.length <= 100 ? { ref } : {}
}

const toFailed = (platform: Platform, connection: string, error: unknown): Failed => {
  const { status, code, detail, errors } = describeError(error)
  if (status >= 500) platform.telemetry.log('error', 'a frame failed', { connection, error: String(error) })
  const pointer = errors?.[0]?.pointer
  return { type: 'error', code, message: detail, ...(pointer !== undefined && { pointer }), ...(errors && { errors }) }
}

const answer = async (platform: Platform, connection: Connection, text: string): Promise<ServerFrame[]> => {
  let ref: { ref?: string } = {}
  try {
    const value = readFrame(text)
    ref = refOf(value)
    const frame = parseWith(clientFrameSchema, value, '#')
    const given = await (answers[frame.type] as Answer<ClientFrame['type']>)(platform, connection, frame as never)
    return given.map((one, at) => (at === 0 ? { ...one, ...ref } : one))
  } catch (error) {
    return [{ ...toFailed(platform, connection.id, error), ...ref }]
  }
}

const send = (platform: Platform, id: string, frames: ServerFrame[]): Promise<boolean> =>
  pushAll(
    platform,
    id,
    frames.map((frame) => JSON.stringify(frame)),
  )

/** Does what a frame of a connection asks for, and sends the answers to it. One that nobody knows is closed. */
export const answerFrame = async (platform: Platform, id: string, text: string): Promise<void> => {
  const refused = takeFrame(platform, id)
  if (refused !== undefined) return refuse(platform, id, refused)
  const connection = await findConnection(platform, id)
  if (connection === undefined) return platform.realtime.close(id, { code: 1001, reason: 'connect again' })
  await send(platform, id, await answer(platform, connection, text))
}

/** What a connection sends too much is not looked at. */
const refuse = async (platform: Platform, id: string, refused: number): Promise<void> => {
  if (!isFlood(refused)) return void (await send(platform, id, [toFailed(platform, id, tooManyFrames())]))
  await platform.realtime.close(id, { code: 1008, reason: 'it sends more frames than it may' })
  await leave(platform, id)
}
