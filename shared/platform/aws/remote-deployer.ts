import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda'
import type { WorkflowDefinition, Workflows } from '../platform.ts'
import { PlatformError } from '../platform-error.ts'
import { translated } from './aws-error.ts'

/** What the function that makes state machines answers. */
export type Deployed = { ok: true } | { ok: false; code: 'INVALID' | 'TOO_LARGE'; message: string }

export type RemoteDeployerOptions = { client: LambdaClient; functionName: string }

/** Has machines made by the one function that may. */
export const createRemoteDeployer = ({ client, functionName }: RemoteDeployerOptions): Pick<Workflows, 'deploy'> => ({
  async deploy(definition: WorkflowDefinition) {
    const command = new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(definition) })
    const { Payload, FunctionError } = await translated('the deploy of a workflow', () => client.send(command))
    const text = Buffer.from(Payload ?? []).toString('utf8')
    if (FunctionError !== undefined) throw new PlatformError('UNAVAILABLE', `function ${functionName} failed: ${text}`)
    const answer = JSON.parse(text) as Deployed
    if (!answer.ok) throw new PlatformError(answer.code, answer.message)
  },
})
