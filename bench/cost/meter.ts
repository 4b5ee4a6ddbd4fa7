/** Counts what AWS would bill, call by call, in the middleware of the SDK's own clients. */

type Input = Record<string, unknown> & { Entries?: unknown[] }
type Capacity = { CapacityUnits?: number }
type Output = { ConsumedCapacity?: Capacity | Capacity[] }
type Next = (args: { input: Input }) => Promise<{ output: Output }>
/** The part of an SDK client that a meter needs. */
export type Metered = {
  config: { serviceId?: string }
  middlewareStack: {
    add(
      middleware: (next: Next, context: { commandName?: string }) => Next,
      options: { step: 'initialize'; name: string },
    ): void
  }
}

export type Line =
  | 'dynamodb.write'
  | 'dynamodb.read'
  | 'sqs.request'
  | 'eventbridge.event'
  | 'lambda.request'
  | 'states.transition'

const reads = new Set(['GetItemCommand', 'BatchGetItemCommand', 'QueryCommand', 'ScanCommand'])

/** Where the stream's readers keep their place: Lambda does that by itself, and bills nothing for it. */
const isCheckpoint = (input: Input): boolean => JSON.stringify(input).includes('platform#feed#')

const unitsOf = ({ ConsumedCapacity: consumed }: Output): number =>
  [consumed ?? []].flat().reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0)

export const createMeter = () => {
  const counts = new Map<string, { calls: number; units: number }>()
  let counting = false

  const count = (line: Line, what: string, units: number): void => {
    if (!counting) return
    const key = `${line} ${what}`
    const before = counts.get(key) ?? { calls: 0, units: 0 }
    counts.set(key, { calls: before.calls + 1, units: before.units + units })
  }
  const ofDynamo = async (next: Next, input: Input, name: string) => {
    const answer = await next({ input: { ...input, ReturnConsumedCapacity: 'INDEXES' } })
    const line = reads.has(name) ? 'dynamodb.read' : 'dynamodb.write'
    if (!isCheckpoint(input)) count(line, describe(name, input), unitsOf(answer.output))
    return answer
  }

  return {
    count,
    start: () => {
      counting = true
    },
    stop: () => {
      counting = false
    },
    /** Units by line and by what asked for them. */
    counts: () => counts,
    observe({ config, middlewareStack }: Metered): void {
      middlewareStack.add(
        (next, { commandName = '' }) =>
          async ({ input }) => {
            if (config.serviceId === 'DynamoDB') return ofDynamo(next, input, commandName)
            if (config.serviceId === 'SQS') count('sqs.request', commandName, 1)
            if (config.serviceId === 'EventBridge') count('eventbridge.event', commandName, input.Entries?.length ?? 1)
            return next({ input })
          },
        { step: 'initialize', name: 'meter' },
      )
    },
  }
}

export type Meter = ReturnType<typeof createMeter>

/** The kind of item that a call is about, from its key. */
const describe = (name: string, input: Input): string => {
  const text = JSON.stringify(input)
  const pk = /"pk":\{"S":"([^"]*)"/.exec(text)?.[1] ?? /":pk":\{"S":"([^"]*)"/.exec(text)?.[1] ?? ''
  const sk = /"sk":\{"S":"([^"]*)"/.exec(text)?.[1] ?? ''
  const noun = pk.split('#')[1] ?? pk
  return `${name.replace('Command', '')} ${noun}/${sk.split('#')[0] || String(input.IndexName ?? '')}`
}
