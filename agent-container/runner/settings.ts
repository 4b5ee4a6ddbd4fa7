import { parseArgs } from 'node:util'
import * as z from 'zod'

const settingsSchema = z
  .object({
    agent: z.string().min(1, 'name an agent: --agent PATH, or DEVCYCLE_AGENT'),
    url: z.url().optional(),
    apiKey: z.string().optional(),
    gateway: z.string().optional(),
    slots: z.coerce.number().int().min(1).max(10_000).optional(),
    drainSeconds: z.coerce.number().min(0).max(7200).default(110),
    httpPort: z.coerce.number().int().min(0).max(65_535).optional(),
    orphanSeconds: z.coerce.number().min(0.1).default(30),
    workspaces: z.string().optional(),
  })
  .refine(({ url, gateway }) => url !== undefined || gateway !== undefined, {
    message: 'say where the platform is: DEVCYCLE_URL, or DEVCYCLE_AGENT_GATEWAY on AWS',
  })
export type RunnerSettings = z.infer<typeof settingsSchema>

const flags = {
  agent: { type: 'string' },
  slots: { type: 'string' },
  'http-port': { type: 'string' },
} as const

/** Settings of a runner from its arguments and environment; an `Error` names what is missing or wrong. */
export const readSettings = (args: string[], env: NodeJS.ProcessEnv): RunnerSettings => {
  const { values } = parseArgs({ args, options: flags, strict: true })
  const parsed = settingsSchema.safeParse({
    agent: values.agent ?? env.DEVCYCLE_AGENT ?? '',
    url: env.DEVCYCLE_URL,
    apiKey: env.DEVCYCLE_API_KEY,
    gateway: env.DEVCYCLE_AGENT_GATEWAY,
    slots: values.slots ?? env.DEVCYCLE_SLOTS,
    drainSeconds: env.DEVCYCLE_DRAIN_SECONDS,
    httpPort: values['http-port'] ?? env.DEVCYCLE_HTTP_PORT,
    orphanSeconds: env.DEVCYCLE_ORPHAN_SECONDS,
    workspaces: env.DEVCYCLE_WORKSPACES,
  })
  if (parsed.success) return parsed.data
  throw new Error(parsed.error.issues.map(({ path, message }) => [...path, message].join(': ')).join('; '))
}
