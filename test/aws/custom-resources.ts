import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { clientConfig, type Deployment } from './deployment.ts'

type Template = { Resources: Record<string, { Type: string; Properties: Record<string, unknown> }> }
type Answer = { Status: string; Reason?: string }

/** Plays CloudFormation where an emulator leaves custom resources alone: asks the function, and waits for its answers. */
export const askForWorkflows = async (deployment: Deployment): Promise<void> => {
  const template = JSON.parse(readFileSync(join(deployment.folder, 'Workflows.template.json'), 'utf8')) as Template
  const records = Object.entries(template.Resources).filter(([, { Type }]) => Type === 'Custom::DevCycleWorkflow')
  const lambda = new LambdaClient(clientConfig(deployment.emulator))
  const answers: Answer[] = []
  const server = createServer(async (request, response) => {
    answers.push(JSON.parse(await text(request)) as Answer)
    response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const ResponseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  for (const [LogicalResourceId, { Properties }] of records) {
    const event = { RequestType: 'Create', ResponseURL, StackId: 'stack', RequestId: 'request', LogicalResourceId }
    const Payload = JSON.stringify({ ...event, ResourceProperties: Properties })
    await lambda.send(new InvokeCommand({ FunctionName: 'devcycle-dev-register', Payload }))
  }
  server.close()
  const failed = answers.filter(({ Status }) => Status !== 'SUCCESS')
  if (answers.length !== records.length || failed.length > 0)
    throw new Error(`of ${records.length} workflows ${answers.length} were answered: ${JSON.stringify(failed)}`)
}
