import { apiBase } from '#functions/api/app.ts'
import { toProblem } from '#functions/api/errors.ts'
import { formerAgent } from '#shared/domain/agents/former-agent.ts'
import { DomainError } from '#shared/domain/domain-error.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { type InvokeAnswer, type InvokeRequest, tenant, toInvokeAnswer } from './invoke.ts'

type Options = { request: InvokeRequest; agent: string | undefined; hosted: { agent: string }[]; requestId: string }

const enrols = ({ rawPath, requestContext }: InvokeRequest): boolean =>
  requestContext.http.method === 'POST' && rawPath === `${apiBase}/agents`

/**
 * Refuses an agent that the platform starts, and that somebody deleted, to register itself: ECS starts it once more
 * before its service is scaled to zero. `undefined`: nothing is in the way.
 */
export const refuseReturn = async (
  platform: Pick<Platform, 'main'>,
  { request, agent, hosted, requestId }: Options,
): Promise<InvokeAnswer | undefined> => {
  if (agent === undefined || !enrols(request) || !hosted.some((one) => one.agent === agent)) return undefined
  if (!(await formerAgent(platform, tenant, agent))) return undefined
  const message = `agent ${agent} was deleted; it comes back when somebody else registers its name`
  return toInvokeAnswer(toProblem(new DomainError('FORBIDDEN', message), requestId).response)
}
