import type { HistoryEvent } from '@aws-sdk/client-sfn'
import type { RunEvent } from '../platform.ts'

type Details = {
  name?: string
  state?: string
  index?: number
  input?: string
  output?: string
  error?: string
  cause?: string
}

/** The one field in which an event has what is its own; its name ends so. */
const detailsOf = (event: HistoryEvent): Details =>
  (Object.entries(event).find(([key, value]) => key.endsWith('EventDetails') && value !== undefined)?.[1] ??
    {}) as Details

/** JSON as it was, or the text when it is none. */
export const parsed = (text: string | undefined): unknown => {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}

const textOf = (value: string | undefined): string | undefined => (value === '' ? undefined : value)

/** An event of an execution as this platform tells it. */
export const toRunEvent = (event: HistoryEvent): RunEvent => {
  const { state, name = state, index, input, output, error, cause } = detailsOf(event)
  return {
    id: Number(event.id),
    previous: event.previousEventId ?? 0,
    at: event.timestamp?.getTime() ?? 0,
    type: event.type ?? '',
    ...defined({ name, index, error: textOf(error), cause: textOf(cause) }),
    ...(input !== undefined && { input: parsed(input) }),
    ...(output !== undefined && { output: parsed(output) }),
  }
}

/** The same without inputs and outputs: a host may give them all the same. */
export const toBareEvent = (event: HistoryEvent): RunEvent => {
  const { input: _, output: __, ...rest } = toRunEvent(event)
  return rest
}

/** Without what is not there. */
export const defined = <T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined | null> } =>
  Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined && part !== null)) as never
