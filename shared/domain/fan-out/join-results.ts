import { type Body, itemLimit, loadBody, type PlannedBody, planBody } from '../bodies/body.ts'
import { systemStamp } from '../caller.ts'
import { digest, idFromKey } from '../ids.ts'
import { objectItem } from '../objects/object.ts'
import type { Task } from '../tasks/task.ts'
import { taskKey, taskPk } from '../tasks/task-store.ts'
import type { FanOut } from './fan-out.ts'
import { fanOutPk, rowTaskId } from './fan-out-store.ts'
import type { ReportLine } from './report.ts'
import type { FanOutPorts } from './submit-rows.ts'

const readAtOnce = 200

/** The results of shards as JSON, in order; what did not succeed is `null`. */
async function* resultTexts(ports: FanOutPorts, fan: FanOut): AsyncGenerator<string> {
  const { tenant, position } = fan
  yield '['
  for (let from = 0; from < position.row; from += readAtOnce) {
    const rows = Array.from({ length: Math.min(readAtOnce, position.row - from) }, (_, at) => from + at)
    const heads = await ports.main.getMany<Task>(rows.map((row) => taskKey(tenant, rowTaskId(fan, row))))
    const results = await Promise.all(heads.map((head) => resultOf(ports, head?.value)))
    for (const [at, result] of results.entries()) yield `${from + at === 0 ? '' : ','}${JSON.stringify(result ?? null)}`
  }
  yield ']'
}

export const resultOf = async (ports: FanOutPorts, task: Task | undefined): Promise<unknown> =>
  task?.status === 'SUCCEEDED'
    ? loadBody(ports, { tenant: task.tenant, pk: taskPk(task.tenant, task.id), body: task.result })
    : null

async function* joinTexts(ports: FanOutPorts, fan: FanOut, failed: ReportLine[]): AsyncGenerator<string> {
  yield '{"results":'
  yield* resultTexts(ports, fan)
  const shards = failed.map(({ line, ...rest }) => ({ shard: line - 1, ...rest }))
  yield `,"failed":${JSON.stringify(shards)}`
  if (fan.common) {
    const { tenant, id } = fan
    const input = await loadBody(ports, { tenant, pk: fanOutPk(tenant, id), body: fan.common })
    yield `,"input":${JSON.stringify(input)}`
  }
  yield '}'
}

/** A value that comes in pieces: kept as any body is, and never whole in memory when it is large. */
const planTexts = async (
  ports: FanOutPorts,
  { tenant, pk, name }: { tenant: string; pk: string; name: string },
  texts: AsyncGenerator<string>,
): Promise<PlannedBody> => {
  const stamp = systemStamp('task.distribute')
  let head = ''
  for (;;) {
    const { done, value } = await texts.next()
    if (done) return planBody(ports, { tenant, pk, sk: `result#${name}`, value: JSON.parse(head), stamp })
    head += value
    if (head.length > itemLimit) break
  }
  const id = idFromKey('obj', tenant, `${pk} ${name}`)
  const body = ReadableStream.from(encoded(head, texts)) as ReadableStream<Uint8Array>
  const contentType = 'application/json'
  const { size } = await ports.objects.put({ tenant, id }, body, { contentType })
  const record = { id, tenant, contentType, size, declared: digest(name), createdAt: ports.clock.now(), stamp }
  return { body: { in: 'object', id, size }, items: [objectItem(record)] }
}

async function* encoded(head: string, rest: AsyncGenerator<string>): AsyncGenerator<Uint8Array> {
  yield Buffer.from(head)
  for await (const text of rest) yield Buffer.from(text)
}

/** All results as the result of the distributed task. */
export const planResults = (ports: FanOutPorts, fan: FanOut): Promise<PlannedBody> => {
  const pk = taskPk(fan.tenant, fan.task ?? '')
  return planTexts(ports, { tenant: fan.tenant, pk, name: fan.id }, resultTexts(ports, fan))
}

/** The result of the task that joined them as the result of the distributed task. */
export const planResultOf = async (ports: FanOutPorts, fan: FanOut, task: Task): Promise<PlannedBody> => {
  const { tenant } = fan
  const body: Body | undefined = task.result
  if (body?.in === 'object') return { body, items: [] }
  const value = await resultOf(ports, task)
  const stamp = systemStamp('task.distribute')
  return planBody(ports, { tenant, pk: taskPk(tenant, fan.task ?? ''), sk: `result#${fan.id}`, value, stamp })
}

/** The input of the task that joins: itself, or the object that it is in. */
export const planJoinInput = async (ports: FanOutPorts, fan: FanOut, failed: ReportLine[]): Promise<unknown> => {
  const pk = fanOutPk(fan.tenant, fan.id)
  const { body, items } = await planTexts(
    ports,
    { tenant: fan.tenant, pk, name: 'join' },
    joinTexts(ports, fan, failed),
  )
  for (const item of items) await ports.main.write({ op: 'put', item, expect: 'any' })
  return body.in === 'object' ? { $ref: body.id } : loadBody(ports, { tenant: fan.tenant, pk, body })
}
