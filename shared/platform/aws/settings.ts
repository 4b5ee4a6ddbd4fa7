import * as z from 'zod'
import { allowanceText, isAllowance } from '../egress-target.ts'

const hostedAgentSchema = z.object({
  agent: z.string(),
  /** `<cluster>/<service>`. */
  service: z.string(),
  /** Tasks an instance runs at once. */
  slots: z.int().min(1),
  /** The most instances. */
  max: z.int().min(1),
})

/** The environment of every function: one schema, parsed once at cold start, and the type of what the stacks give. */
export const settingsSchema = z.object({
  STAGE: z.string().min(1),
  MAIN_TABLE: z.string().min(1),
  VOLATILE_TABLE: z.string().min(1),
  OBJECTS_BUCKET: z.string().min(1),
  EVENT_BUS_NAME: z.string().min(1),
  QUEUE_PREFIX: z.string().min(1),
  /** Where clients open sockets, with the stage: `wss://…/live`. */
  WEBSOCKET_URL: z.string().min(1),
  /** Where text for open sockets is posted. @default the same host */
  WEBSOCKET_CALLBACK_URL: z.string().optional(),
  /** Where messages of agents' queues go that were received too often. */
  TASK_DEAD_LETTER_ARN: z.string().optional(),
  /** What the ARN of every state machine of workflows begins with: up to the platform's prefix of their names. */
  STATE_MACHINE_PREFIX: z.string().min(1),
  /** The function that makes those machines. @default this process makes them */
  DEPLOYER_FUNCTION: z.string().min(1).optional(),
  /** What those machines act as. */
  WORKFLOW_ROLE_ARN: z.string().min(1),
  /** Where their steps send commands. */
  STEPS_QUEUE_URL: z.string().min(1),
  GENERATION: z.string().regex(/^\d+$/, 'expected a whole number'),
  SERVICE_NAME: z.string().default('devcycle'),
  /** Targets of webhooks that may be called although they are not public: `host[:port]`, addresses, networks. */
  EGRESS_ALLOW: z
    .string()
    .default('')
    .transform((text) =>
      text
        .split(',')
        .map((entry) => entry.trim())
        .filter(Boolean),
    )
    .refine((entries) => entries.every(isAllowance), allowanceText),
  HOSTED_AGENTS: z
    .string()
    .default('[]')
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown
      } catch {
        context.addIssue({ code: 'custom', message: 'expected a JSON list' })
        return z.NEVER
      }
    })
    .pipe(z.array(hostedAgentSchema)),
})

export type Settings = z.output<typeof settingsSchema>
/** What a stack puts into a function's environment. */
export type SettingsEnvironment = z.input<typeof settingsSchema>
export type HostedAgentSetting = z.output<typeof hostedAgentSchema>

/** The settings, or an error that names every variable that is missing or wrong. */
export const parseSettings = (env: Record<string, string | undefined>): Settings => {
  const parsed = settingsSchema.safeParse(env)
  if (parsed.success) return parsed.data
  throw new Error(
    `the environment is not complete: ${parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}`,
  )
}
