import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { CloudFormationCustomResourceEvent } from 'aws-lambda'
import { expect, it } from 'vitest'
import { register } from '#functions/register/register.ts'
import { aPlatform } from '#test/support/embedded.ts'

it('tells CloudFormation no more of a failure than it reads', async () => {
  const { platform, close } = await aPlatform()
  const told = Promise.withResolvers<string>()
  const server = createServer(async (request, response) => {
    told.resolve(Buffer.concat(await request.toArray()).toString())
    response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const event = {
    RequestType: 'Create',
    ResourceProperties: { Tenant: 'default', Name: 'n'.repeat(5000), Source: 'workflow: other' },
    ResponseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/answer`,
    LogicalResourceId: 'record',
  }
  await register(platform, event as unknown as CloudFormationCustomResourceEvent)
  const text = await told.promise
  expect(JSON.parse(text)).toMatchObject({ Status: 'FAILED', Reason: expect.stringMatching(/^workflow n+$/) })
  expect(Buffer.byteLength(text)).toBeLessThan(4096)
  server.close()
  await close()
})
