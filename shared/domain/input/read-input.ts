import type { Platform, Stored } from '../../platform/platform.ts'
import type { Caller } from '../caller.ts'
import { invalid, orThrow } from '../domain-error.ts'
import { newRev } from '../ids.ts'
import type { Task } from '../tasks/task.ts'
import { requireFence } from '../tasks/task-moves.ts'
import { getTask } from '../tasks/task-store.ts'
import { workerInstance, writerOf } from '../tasks/worker-instance.ts'
import {
  emptyStream,
  type InputChunk,
  type InputPart,
  type InputStream,
  partsOf,
  readTo,
  recordPrefix,
  recordSk,
  streamItem,
  streamKey,
} from './input-stream.ts'

export type ReadCommand = {
  /** Only records after this number: those before it are known to have been read. */
  after: number
  limit: number
  waitSeconds: number
  fence?: string
  signal?: AbortSignal
}
export type InputPage = { records: { seq: number; value: unknown }[]; ended: boolean; nextAfter: number }

type Ports = Pick<Platform, 'main' | 'clock' | 'random' | 'generation'>

/** An item has 256 KB at most; a page reads on in steps of some items until it has enough. */
const itemsAtOnce = 8
const enoughBytes = 128 * 1024

/**
 * Records of a task's input, in order; waits for the next one. An instance reads the input of what it holds, an
 * administrator that of any task, which does not count as read.
 */
export const readInput = async (ports: Ports, caller: Caller, id: string, command: ReadCommand): Promise<InputPage> => {
  const { tenant } = caller
  const { value: task } = await getTask(ports, tenant, id)
  const reader = workerInstance(caller)
  if (reader !== undefined || command.fence !== undefined)
    orThrow(requireFence(task, command.fence ?? task.lease?.fence ?? 'none', writerOf(ports, caller)))
  const until = ports.clock.now() + command.waitSeconds * 1000
  let stream = await ports.main.get<InputStream>(streamKey(tenant, id))
  requireThere(stream?.value.last.seq ?? 0, command)
  for (let first = true; ; first = false) {
    const page = await readPage(ports, task, stream?.value, command)
    if (first && stream && reader !== undefined) await noteRead(ports, task, stream, { ...page, after: command.after })
    const left = until - ports.clock.now()
    if (page.records.length > 0 || page.ended || left <= 0 || command.signal?.aborted) return toPage(page)
    stream = await ports.main.waitForChange<InputStream>(streamKey(tenant, id), stream?.rev, left)
  }
}

/** Nobody has read beyond what was ever there. */
const requireThere = (last: number, { after }: ReadCommand): void => {
  if (after > last)
    throw invalid(
      '#/query/after',
      'BEYOND_END',
      `the input has ${last} records so far: after is at most ${last}, and 0 reads from the first on`,
    )
}

/** `before`: the bytes of all records before the page. */
type Read = InputPage & { before: number }

const toPage = ({ records, ended, nextAfter }: Read): InputPage => ({ records, ended, nextAfter })

const readPage = async (
  { main }: Ports,
  { tenant, id }: Task,
  stream: InputStream = emptyStream,
  { after, limit }: ReadCommand,
): Promise<Read> => {
  const { last, ended } = stream
  if (after >= last.seq) return { records: [], ended, nextAfter: after, before: last.bytes }
  const chunks = await readParts({ main }, tenant, partsOf(stream, id), { after, limit })
  const records = chunks.flatMap(numbered).filter(({ seq }) => seq > after && seq <= last.seq)
  const shown = records.slice(0, limit)
  const nextAfter = shown.at(-1)?.seq ?? after
  return { records: shown, ended: ended && nextAfter === last.seq, nextAfter, before: chunks[0]?.before ?? 0 }
}

const numbered = ({ first, records }: InputChunk) => records.map((value, at) => ({ seq: first + at, value }))
const lastOf = ({ first, records }: InputChunk): number => first + records.length - 1

type Wanted = { after: number; limit: number }

/** The items from a number on, through one part after the other. */
const readParts = async (
  { main }: Pick<Ports, 'main'>,
  tenant: string,
  parts: InputPart[],
  { after, limit }: Wanted,
): Promise<InputChunk[]> => {
  const chunks: InputChunk[] = []
  for (const { task } of parts.filter(({ last }) => last > after)) {
    if (isEnough(chunks, after + limit)) break
    chunks.push(...(await readChunks({ main }, streamKey(tenant, task).pk, { after, limit })))
  }
  return chunks
}

const readChunks = async (
  { main }: Pick<Ports, 'main'>,
  pk: string,
  { after, limit }: Wanted,
): Promise<InputChunk[]> => {
  const chunks: InputChunk[] = []
  let cursor: string | undefined
  do {
    const sk = `${recordSk(after)}~`
    const page = await main.query<InputChunk>({ pk, prefix: recordPrefix, after: sk, limit: itemsAtOnce, cursor })
    chunks.push(...page.items.map(({ value }) => value))
    cursor = page.cursor
  } while (cursor !== undefined && !isEnough(chunks, after + limit))
  return chunks
}

const isEnough = (chunks: InputChunk[], seq: number): boolean => {
  const [first, last] = [chunks[0], chunks.at(-1)]
  return first !== undefined && last !== undefined && (lastOf(last) >= seq || last.before - first.before >= enoughBytes)
}

/** Makes room for more; lost to another writer, the next page does it. */
const noteRead = async (
  ports: Ports,
  { tenant, id }: Task,
  stream: Stored<InputStream>,
  { after, before }: Read & { after: number },
): Promise<void> => {
  const next = readTo(stream.value, { seq: Math.min(after, stream.value.last.seq), bytes: before })
  if (next === stream.value) return
  const rev = newRev(ports)
  await ports.main.write({ op: 'put', item: streamItem(tenant, id, next), expect: { rev: stream.rev }, rev })
}
