import type { Platform, WorkflowDefinition } from '#shared/platform/platform.ts'
import { PlatformError } from '#shared/platform/platform-error.ts'

/** What steps of workflows are compiled to; a machine that would call anything else is nobody's workflow. */
const resources = ['arn:aws:states:::sqs:sendMessage', 'arn:aws:states:::sqs:sendMessage.waitForTaskToken']

/** Every `Resource` of a machine, however deep. */
const resourcesOf = (part: unknown): unknown[] => {
  if (part === null || typeof part !== 'object') return []
  const inner = Object.values(part).flatMap(resourcesOf)
  return 'Resource' in part && 'Type' in part ? [part.Resource, ...inner] : inner
}

const isRefusal = (error: unknown): error is PlatformError & { code: 'INVALID' | 'TOO_LARGE' } =>
  error instanceof PlatformError && (error.code === 'INVALID' || error.code === 'TOO_LARGE')

/** Makes a version of a machine for whoever may not; what is wrong with it is an answer, not a failure. */
export const deploy = async (
  { deploy: make }: Pick<Platform['workflows'], 'deploy'>,
  definition: WorkflowDefinition,
) => {
  const foreign = resourcesOf(definition.asl).find((one) => !resources.includes(String(one)))
  if (foreign !== undefined) {
    const message = `steps of workflows send commands (${resources.join(', ')}); received ${JSON.stringify(foreign)}`
    return { ok: false as const, code: 'INVALID' as const, message }
  }
  try {
    await make(definition)
    return { ok: true as const }
  } catch (error) {
    if (isRefusal(error)) return { ok: false as const, code: error.code, message: error.message }
    throw error
  }
}
