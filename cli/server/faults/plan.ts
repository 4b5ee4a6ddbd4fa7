import { readFileSync } from 'node:fs'
import * as z from 'zod'
import { type OperationId, operations } from '#shared/contracts/operations.ts'

/** The calls of ports that a rule can name, besides operations of the API. */
export const portCalls = [
  ...['main', 'volatile'].flatMap((table) =>
    ['get', 'getMany', 'write', 'transact', 'query', 'add', 'waitForChange', 'scan'].map((call) => `${table}.${call}`),
  ),
  ...['send', 'receive', 'delete', 'release', 'depth'].map((call) => `queues.${call}`),
  ...['put', 'get', 'stat', 'delete'].map((call) => `objects.${call}`),
  'bus.publish',
  'feed.consume',
]
const operationIds = Object.keys(operations) as OperationId[]

/** Which places each fault can be at. */
const places: Record<string, { fits: (where: string) => boolean; words: string }> = {
  duplicate: { fits: (where) => where === 'queues.send', words: 'queues.send' },
  'lose-message': { fits: (where) => where === 'queues.send', words: 'queues.send' },
  'feed-redeliver': { fits: (where) => where === 'feed.consume', words: 'feed.consume' },
}
const anywhere = [...portCalls.filter((call) => call !== 'feed.consume'), ...operationIds]

const matcher = (where: string): ((place: string) => boolean) => {
  const pattern = new RegExp(`^${where.replaceAll('.', '\\.').replaceAll('*', '\\w*')}$`)
  return (place) => pattern.test(place)
}

/** What a rule's `where` stands for: one place, or several by `*`. */
export const placesOf = ({ fault, where }: Pick<FaultRule, 'fault' | 'where'>): string[] => {
  const all = places[fault] ? [...portCalls, ...operationIds].filter(places[fault].fits) : anywhere
  return all.filter(matcher(where))
}

const ruleSchema = z
  .strictObject({
    fault: z.enum(['delay', 'throttle', 'drop-answer', 'crash', 'duplicate', 'lose-message', 'feed-redeliver']),
    where: z.string().regex(/^[A-Za-z.*]+$/, 'expected a port and its method such as main.write, or an operation'),
    /** Each call with this probability. */
    probability: z.number().gt(0).max(1).optional(),
    /** This call alone, counted from 1. */
    nth: z.int().min(1).optional(),
    /** Every so many calls. */
    every: z.int().min(1).optional(),
    /** At most so often. */
    times: z.int().min(1).optional(),
    /** How long a delay takes. @default 100 */
    ms: z.int().min(1).max(600_000).optional(),
    /** Whether a crash comes before the call has its effect, or after it. @default before */
    when: z.enum(['before', 'after']).optional(),
  })
  .superRefine((rule, context) => {
    const issue = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message })
    const given = (['probability', 'nth', 'every'] as const).filter((name) => rule[name] !== undefined)
    if (given.length !== 1)
      issue('probability', `expected one of probability, nth, every; received ${given.join(' and ') || 'none'}`)
    if (rule.ms !== undefined && rule.fault !== 'delay') issue('ms', `only a delay has ms; this is a ${rule.fault}`)
    if (rule.when !== undefined && rule.fault !== 'crash')
      issue('when', `only a crash has when; this is a ${rule.fault}`)
    if (placesOf(rule).length === 0)
      issue(
        'where',
        `a ${rule.fault} cannot be at ${rule.where}; it can be at ${places[rule.fault]?.words ?? `${portCalls.slice(0, 3).join(', ')}, …, or an operation such as completeTask`}`,
      )
  })

const planSchema = z.strictObject({
  /** The same seed draws the same chances. @default 1 */
  seed: z.int().min(0).default(1),
  rules: z.array(ruleSchema).min(1).max(100),
})

export type FaultRule = z.infer<typeof ruleSchema>
export type FaultPlan = z.infer<typeof planSchema>

/** The plan, or an error that names each place where it is wrong. */
export const parseFaultPlan = (text: string, file = 'the fault plan'): FaultPlan => {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new Error(`${file} is not JSON: ${(error as Error).message}`)
  }
  const { success, data, error } = planSchema.safeParse(json)
  if (success) return data
  throw new Error(`${file}: ${error.issues.map(({ path, message }) => `#/${path.join('/')}: ${message}`).join('; ')}`)
}

export const readFaultPlan = (file: string): FaultPlan => parseFaultPlan(readFileSync(file, 'utf8'), file)
