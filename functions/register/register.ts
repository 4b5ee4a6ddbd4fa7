import type { CloudFormationCustomResourceEvent } from 'aws-lambda'
import type { Platform } from '#shared/platform/platform.ts'
import { keepWorkflow } from './keep-workflow.ts'

/** CloudFormation takes 4 KB of an answer and fails without one: a long reason is in the log. */
const mostReason = 2000

/** What the stack says of a workflow; CloudFormation makes texts of numbers. */
type Properties = { Tenant: string; Name: string; Source: string; Share?: string }

/** What a deploy brings is stored; what a deploy takes away stays, with its runs. */
const keep = async (platform: Platform, { RequestType, ResourceProperties }: CloudFormationCustomResourceEvent) => {
  if (RequestType === 'Delete') return
  const { Tenant, Name, Source, Share } = ResourceProperties as unknown as Properties
  const share = Share === undefined ? undefined : Number(Share)
  await keepWorkflow(platform, Tenant, { name: Name, source: Source, share })
}

/** Does what CloudFormation asks of a workflow, and tells it how that went; without an answer it would wait. */
export const register = async (platform: Platform, event: CloudFormationCustomResourceEvent): Promise<void> => {
  const { StackId, RequestId, LogicalResourceId, ResponseURL } = event
  const failure = await keep(platform, event).then(
    () => undefined,
    (error: unknown) => error as Error,
  )
  if (failure) platform.telemetry.log('error', 'a workflow that ships was not registered', { error: String(failure) })
  const body = {
    Status: failure ? 'FAILED' : 'SUCCESS',
    Reason: failure?.message.slice(0, mostReason),
    PhysicalResourceId: LogicalResourceId,
    StackId,
    RequestId,
    LogicalResourceId,
  }
  const answered = await fetch(ResponseURL, {
    method: 'PUT',
    body: JSON.stringify(body),
    headers: { 'content-type': '' },
  })
  if (!answered.ok) throw new Error(`CloudFormation did not take the answer: ${answered.status}`)
}
