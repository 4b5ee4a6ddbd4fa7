import type { Platform } from '../../platform/platform.ts'
import { systemStamp } from '../caller.ts'
import { digest, idFromKey } from '../ids.ts'
import { objectItem } from '../objects/object.ts'
import { sideBySide } from '../side-by-side.ts'
import type { Failure, Task } from '../tasks/task.ts'
import { taskKey } from '../tasks/task-store.ts'
import { pageRows, type RowPage, unsuccessfulRows } from './bitmap.ts'
import { chunkRows, type FanOut } from './fan-out.ts'
import { type BadRow, badRows, rowTaskId } from './fan-out-store.ts'

type Ports = Pick<Platform, 'main' | 'objects' | 'clock'>

/** A row that did not succeed, as the report tells it; lines count from 1. */
export type ReportLine = { line: number; task?: string; code: string; message: string }

const contentType = 'application/jsonl'
const readAtOnce = 500

const fragmentId = ({ tenant, id }: FanOut, page: number): string => idFromKey('obj', tenant, `${id} report ${page}`)

const describe = (row: number, task: Task | undefined, bad: BadRow | undefined): ReportLine => {
  if (task === undefined) {
    const { code, message } = bad ?? { code: 'CANCELLED', message: 'the batch ended before it was submitted' }
    return { line: row + 1, code, message }
  }
  const none: Pick<Failure, 'code' | 'message'> = {
    code: task.status,
    message: task.transition.message ?? `the task is ${task.status}`,
  }
  const { code, message } = task.status === 'FAILED' ? (task.failure ?? none) : none
  return { line: row + 1, task: task.id, code, message }
}

/** Writes down which rows of a page did not succeed, and why. */
export const writeFragment = async (
  ports: Ports,
  fan: FanOut,
  { page, bits }: { page: number; bits: RowPage | undefined },
): Promise<void> => {
  const rows = unsuccessfulRows(bits, page)
  if (rows.length === 0) return
  const bad = await badRows(ports, fan, { from: page * pageRows, to: (page + 1) * pageRows, span: chunkRows })
  const lines: string[] = []
  for (let at = 0; at < rows.length; at += readAtOnce) {
    const some = rows.slice(at, at + readAtOnce)
    const heads = await ports.main.getMany<Task>(some.map((row) => taskKey(fan.tenant, rowTaskId(fan, row))))
    for (const [place, row] of some.entries())
      lines.push(JSON.stringify(describe(row, heads[place]?.value, bad.get(row))))
  }
  const key = { tenant: fan.tenant, id: fragmentId(fan, page) }
  await ports.objects.put(key, Buffer.from(`${lines.join('\n')}\n`), { contentType })
}

async function* fragments(ports: Pick<Platform, 'objects'>, fan: FanOut): AsyncGenerator<Uint8Array> {
  for (const page of fan.fragments) {
    const found = await ports.objects.get({ tenant: fan.tenant, id: fragmentId(fan, page) })
    if (found === undefined) throw new Error(`part ${page} of the report of ${fan.id} is gone`)
    yield* found.body
  }
}

/** Puts the parts of the report together into one object; `undefined` when every row succeeded. */
export const writeReport = async (ports: Ports, fan: FanOut): Promise<string | undefined> => {
  if (fan.fragments.length === 0) return undefined
  const { tenant } = fan
  const id = idFromKey('obj', tenant, `${fan.id} report`)
  const body = ReadableStream.from(fragments(ports, fan)) as ReadableStream<Uint8Array>
  const { size } = await ports.objects.put({ tenant, id }, body, { contentType })
  const record = { id, tenant, contentType, size, declared: digest(fan.id), createdAt: ports.clock.now() }
  const item = objectItem({ ...record, stamp: systemStamp('batch.report') })
  await ports.main.write({ op: 'put', item, expect: 'any' })
  return id
}

/** Only once the end is stored: until then, whoever repeats it reads them again. */
export const dropFragments = async ({ objects }: Pick<Platform, 'objects'>, fan: FanOut): Promise<void> => {
  const { tenant } = fan
  await sideBySide(fan.fragments, 16, (page) =>
    objects.delete({ tenant, id: fragmentId(fan, page) }).catch(() => undefined),
  )
}

/** The first lines of the report, before its parts are put together. */
export const firstFailures = async (
  ports: Pick<Platform, 'objects'>,
  fan: FanOut,
  count: number,
  isMeant: (line: ReportLine) => boolean = () => true,
): Promise<ReportLine[]> => {
  const lines: ReportLine[] = []
  let rest = ''
  for await (const chunk of fragments(ports, fan)) {
    const texts = (rest + Buffer.from(chunk).toString('utf8')).split('\n')
    rest = texts.pop() ?? ''
    lines.push(
      ...texts
        .filter(Boolean)
        .map((text) => JSON.parse(text) as ReportLine)
        .filter(isMeant),
    )
    if (lines.length >= count) break
  }
  return lines.slice(0, count)
}
