import type { ObjectKey, ObjectStat, Objects } from '#shared/platform/platform.ts'

type Found = NonNullable<Awaited<ReturnType<Objects['get']>>>

/** What waits for nothing but promises: virtual time passes over everything else. */
const streamOf = (bytes: Uint8Array): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      controller.enqueue(bytes)
      controller.close()
    },
  })

/** Large payloads, in memory. */
export const createSimObjects = () => {
  const objects = new Map<string, Uint8Array>()
  const idOf = ({ tenant, id }: ObjectKey): string => `${tenant} ${id}`
  const stat = (key: ObjectKey): ObjectStat | undefined => {
    const body = objects.get(idOf(key))
    return body && { size: body.length, contentType: 'application/json' }
  }
  return {
    put(key: ObjectKey, body: Uint8Array): ObjectStat {
      objects.set(idOf(key), body)
      return { size: body.length }
    },
    get(key: ObjectKey): Found | undefined {
      const body = objects.get(idOf(key))
      const found = stat(key)
      return body && found && { stat: found, body: streamOf(body) }
    },
    stat,
    delete: (key: ObjectKey): void => void objects.delete(idOf(key)),
  }
}
export type SimObjects = ReturnType<typeof createSimObjects>
