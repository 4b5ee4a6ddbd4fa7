/** A reader that takes nothing for so long is disconnected: it resumes where it was. */
const defaultStallMs = 30_000

/**
 * Bytes as their reader takes them: one piece is made ahead, and no more. A reader that stalls with a piece before it is
 * ended with an error, so that nothing is kept for it.
 */
export const pacedStream = (
  source: AsyncGenerator<Uint8Array>,
  { stallMs = defaultStallMs }: { stallMs?: number } = {},
): ReadableStream<Uint8Array> => {
  let stalling: NodeJS.Timeout | undefined
  const end = async (): Promise<void> => {
    clearTimeout(stalling)
    await source.return(undefined)
  }
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      clearTimeout(stalling)
      const { done, value } = await source.next()
      if (done) return controller.close()
      controller.enqueue(value)
      stalling = setTimeout(() => {
        controller.error(new Error(`the reader took nothing for ${stallMs} ms`))
        void end()
      }, stallMs)
      stalling.unref()
    },
    cancel: end,
  })
}
