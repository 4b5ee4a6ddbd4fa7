import * as z from 'zod'
import { jsonSchema, nameSchema, wantedVersionSchema } from './common.ts'

const maxShards = 10_000

/** A task that makes the shards, or that joins their results. */
const partSchema = z
  .strictObject({
    capability: nameSchema.optional(),
    /** Name or id. */
    agent: z.string().min(1).max(100).optional(),
    version: wantedVersionSchema.optional(),
    input: jsonSchema.optional(),
    timeoutSeconds: z.int().min(1).max(604_800).optional(),
  })
  .refine(({ capability, agent }) => capability !== undefined || agent !== undefined, {
    message: 'name a capability or an agent',
    path: ['capability'],
  })

const rangeSchema = z
  .strictObject({ from: z.int(), to: z.int(), size: z.int().min(1) })
  .refine(({ from, to }) => to >= from, { message: 'to is not below from', path: ['to'] })
  .refine(({ from, to, size }) => size < 1 || (to - from) / size <= maxShards, {
    message: `at most ${maxShards} shards; make size larger`,
    path: ['size'],
  })

const shardsSchema = z.union(
  [
    z.strictObject({ list: z.array(jsonSchema).max(maxShards) }),
    z.strictObject({ range: rangeSchema }),
    /** A task whose result is the list. */
    z.strictObject({ split: partSchema }),
  ],
  'expected one of {"list": […]}, {"range": {"from", "to", "size"}} and {"split": {"capability": …}}',
)

/** Fields of a submit that divide a task into shards, each a child task of its own. */
export const shardFields = {
  shards: shardsSchema.optional(),
  /** `list`: the results in order. A task gets `{results, failed, input?}`. @default list */
  join: z
    .union(
      [
        z.literal('list'),
        partSchema.refine(({ input }) => input === undefined, {
          message: 'its input are the results of the shards: leave it out',
          path: ['input'],
        }),
      ],
      'expected "list", or a task that joins the results: {"capability": …}',
    )
    .optional(),
  /** How many shards have to succeed: a share up to 1, or a number above it. @default 1 */
  quorum: z
    .number()
    .positive()
    .max(maxShards)
    .refine((quorum) => quorum <= 1 || Number.isInteger(quorum), 'expected a share up to 1, or a whole number above it')
    .optional(),
  /** `fail` ends the task as soon as the quorum is out of reach; `continue` lets every shard end. @default fail */
  onFailure: z.enum(['fail', 'continue']).optional(),
  /** So many shards wait and run at a time. @default 1000 */
  maxInFlight: z.int().min(1).max(maxShards).optional(),
}

/** Whether fields that mean nothing without `shards` come with them. */
export const onlyWithShards = (body: { [K in keyof typeof shardFields]?: unknown }): boolean =>
  body.shards !== undefined ||
  [body.join, body.quorum, body.onFailure, body.maxInFlight].every((field) => field === undefined)

/** Whether as many shards as have to succeed can be there; how many a splitting task makes nobody knows before. */
export const quorumInReach = ({ shards, quorum = 1 }: { shards?: z.output<typeof shardsSchema>; quorum?: number }) => {
  if (shards === undefined || quorum <= 1 || 'split' in shards) return true
  if ('list' in shards) return quorum <= shards.list.length
  const { from, to, size } = shards.range
  return quorum <= Math.ceil((to - from) / size)
}
