import { HttpError } from '#functions/api/errors.ts'

/** The most bytes that an object may have. */
export const maxObjectBytes = 5 * 1024 ** 3

export const tooManyBytes = (most: number): HttpError =>
  new HttpError('PAYLOAD_TOO_LARGE', `an object may have ${most} bytes`)

/** The same body, that fails once it has more than `most` bytes. */
export const boundedBody = (
  body: ReadableStream<Uint8Array>,
  most: number = maxObjectBytes,
): ReadableStream<Uint8Array> => {
  let received = 0
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        received += chunk.byteLength
        if (received > most) throw tooManyBytes(most)
        controller.enqueue(chunk)
      },
    }),
  )
}
