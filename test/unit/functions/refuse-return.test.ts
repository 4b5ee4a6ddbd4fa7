import { afterAll, beforeAll, expect, it } from 'vitest'
import { refuseReturn } from '#functions/agent-gateway/refuse-return.ts'
import { decommissionAgent } from '#shared/domain/agents/change-agent.ts'
import { registerAgent } from '#shared/domain/agents/register-agent.ts'
import type { Caller } from '#shared/domain/caller.ts'
import { aPlatform } from '#test/support/embedded.ts'

let embedded: Awaited<ReturnType<typeof aPlatform>>
beforeAll(async () => {
  embedded = await aPlatform()
  const { platform } = embedded
  for (const name of ['deleted', 'of-somebody']) {
    const caller: Caller = { tenant: 'default', principal: { kind: 'host', agent: name }, requestId: 'req' }
    const fields = { type: 'test', version: '1.0.0', capabilities: [], configuration: {}, labels: {} }
    await registerAgent(platform, caller, { name, ...fields })
    await decommissionAgent(platform, caller, name)
  }
})
afterAll(() => embedded.close())

const ask = (agent: string | undefined, method = 'POST', rawPath = '/api/v2/agents') =>
  refuseReturn(embedded.platform, {
    request: { rawPath, requestContext: { http: { method } } },
    agent,
    hosted: [{ agent: 'deleted' }, { agent: 'new' }],
    requestId: 'req',
  })

it('keeps an agent that the platform starts from coming back once somebody deleted it', async () => {
  const refused = await ask('deleted')
  expect(refused).toMatchObject({ statusCode: 403, headers: { 'content-type': 'application/problem+json' } })
  expect(JSON.parse(refused?.body ?? '')).toMatchObject({ code: 'FORBIDDEN', requestId: 'req' })
})

it('is in the way of nothing else', async () => {
  expect(await ask('new')).toBeUndefined()
  expect(await ask('of-somebody')).toBeUndefined()
  expect(await ask(undefined)).toBeUndefined()
  expect(await ask('deleted', 'GET')).toBeUndefined()
  expect(await ask('deleted', 'POST', '/api/v2/instances')).toBeUndefined()
})
