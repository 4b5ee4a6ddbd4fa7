import { LRUCache } from 'lru-cache'
import type { Task } from '#shared/domain/tasks/task.ts'
import { readEvents, type TaskEvent } from '#shared/domain/tasks/task-events.ts'
import type { Platform, Stored } from '#shared/platform/platform.ts'
import { iso } from './headers.ts'

/** Events as server-sent events, up to number `seq`; without bytes there were none. */
export type Frames = { bytes?: Uint8Array; seq: number }

/** What one reader may have before it at once. */
const maxBytes = 512 * 1024
/** Items of one read: few while events are large. */
const items = { few: 8, many: 200, smallBytes: 64 * 1024 }
/** How long what may still grow is shared: less than a reader waits before it looks again. */
const growMs = 5
const encoder = new TextEncoder()

const frame = ({ time, ...event }: TaskEvent): string =>
  `id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify({ ...event, time: iso(time) })}\n\n`

const encode = (events: TaskEvent[], after: number): Frames => {
  const parts: string[] = []
  let size = 0
  for (const event of events) {
    if (size >= maxBytes) break
    const text = frame(event)
    parts.push(text)
    size += text.length
  }
  const seq = events[parts.length - 1]?.seq ?? after
  return parts.length === 0 ? { seq } : { bytes: encoder.encode(parts.join('')), seq }
}

/**
 * Reads events for many readers of one task: those who are at the same place share one read and its bytes. What may
 * still grow, because the projector is behind the head, is shared for a moment and not kept.
 */
export const createSharedFrames = ({ main }: Pick<Platform, 'main'>) => {
  const reading = new Map<string, Promise<Frames>>()
  const kept = new LRUCache<string, Frames>({
    max: 1000,
    maxSize: 16 * 1024 * 1024,
    sizeCalculation: ({ bytes }) => bytes?.length || 1,
  })

  const read = async (head: Stored<Task>, after: number, limit: number): Promise<Frames> =>
    encode(await readEvents({ main }, { task: head.value, after, limit }), after)
  const isWhole = ({ seq, bytes }: Frames, head: Stored<Task>): boolean =>
    seq >= head.value.seq || (bytes?.length ?? 0) >= maxBytes
  const share = (id: string, head: Stored<Task>, started: Promise<Frames>): void => {
    reading.set(id, started)
    const forget = (): void => void reading.delete(id)
    started.then((frames) => {
      if (!isWhole(frames, head)) return setTimeout(forget, growMs).unref()
      kept.set(id, frames)
      forget()
    }, forget)
  }
  return {
    /** Events after `after`; `last`: how many bytes the reader got before. */
    read(head: Stored<Task>, after: number, last: number | undefined): Promise<Frames> | Frames {
      const id = `${head.pk}\n${head.rev}\n${after}`
      const found = kept.get(id) ?? reading.get(id)
      if (found) return found
      const limit = last === undefined || last > items.smallBytes ? items.few : items.many
      const started = read(head, after, limit)
      share(id, head, started)
      return started
    },
  }
}

const ofPlatform = new WeakMap<Platform, ReturnType<typeof createSharedFrames>>()

/** The one of a platform: its readers are in this process. */
export const sharedFrames = (platform: Platform): ReturnType<typeof createSharedFrames> => {
  const known = ofPlatform.get(platform) ?? createSharedFrames(platform)
  ofPlatform.set(platform, known)
  return known
}
