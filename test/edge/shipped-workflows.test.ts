import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { CloudFormationCustomResourceEvent } from 'aws-lambda'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { keepWorkflow } from '#functions/register/keep-workflow.ts'
import { register } from '#functions/register/register.ts'
import { saveWorkflow } from '#shared/domain/workflows/save-workflow.ts'
import { findWorkflow } from '#shared/domain/workflows/workflow-store.ts'
import type { EmbeddedPlatform } from '#shared/platform/embedded/create-embedded-platform.ts'
import { compileWorkflow } from '#shared/workflow-language/compile/compile-workflow.ts'
import { validate } from '#shared/workflow-language/validate/validate.ts'
import { aPlatform } from '#test/support/embedded.ts'

const sourceOf = (value: string): string => `workflow: shipped\nsteps:\n  - { name: a, kind: set, value: ${value} }\n`

describe('a workflow that ships', () => {
  let platform: EmbeddedPlatform
  let close: () => Promise<void>
  beforeEach(async () => {
    ;({ platform, close } = await aPlatform())
  })
  afterEach(() => close())

  const keep = (value: string, share?: number) =>
    keepWorkflow(platform, 'default', { name: 'shipped', source: sourceOf(value), share })
  const stored = async () => (await findWorkflow(platform, 'default', 'shipped'))?.value

  it('is stored once, and again when its definition has changed', async () => {
    await keep('1')
    await keep('1')
    expect(await stored()).toMatchObject({ latest: 1, aliases: {} })
    await keep('2')
    expect(await stored()).toMatchObject({ latest: 2, aliases: {} })
  })

  it('gives its latest version the share of new runs that is asked for, then another one, then all', async () => {
    await keep('1', 10)
    expect(await stored()).toMatchObject({ latest: 1, aliases: {} })
    await keep('2', 10)
    expect(await stored()).toMatchObject({ latest: 2, aliases: { live: { 1: 90, 2: 10 } } })
    await keep('2', 50)
    expect(await stored()).toMatchObject({ latest: 2, aliases: { live: { 1: 50, 2: 50 } } })
    await keep('2', 100)
    expect(await stored()).toMatchObject({ latest: 2, aliases: { live: { 2: 100 } } })
  })

  it('is left alone once somebody has stored another one under its name', async () => {
    await keep('1')
    const source = sourceOf('7')
    const { definition } = validate(source)
    if (definition === undefined) throw new Error('the definition of the test is not valid')
    const ann = { tenant: 'default', principal: { kind: 'anyone' as const }, requestId: 'ann' }
    await saveWorkflow(platform, ann, { name: 'shipped', source, compiled: compileWorkflow(definition) })
    await keep('3', 10)
    expect(await stored()).toMatchObject({ latest: 2, aliases: {} })
  })

  describe('that CloudFormation asks for', () => {
    let server: Server
    const answers: { method?: string; body: Record<string, unknown> }[] = []
    beforeEach(async () => {
      answers.length = 0
      server = createServer((request, response) => {
        let text = ''
        request.on('data', (chunk: Buffer) => (text += chunk))
        request.on('end', () => {
          answers.push({ method: request.method, body: JSON.parse(text) })
          response.end()
        })
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    })
    afterEach(() => new Promise((resolve) => server.close(resolve)))

    const eventOf = (RequestType: string, ResourceProperties: object) =>
      ({
        RequestType,
        ResourceProperties,
        ResponseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/answer`,
        StackId: 'stack',
        RequestId: 'request',
        LogicalResourceId: 'shippedrecord',
      }) as unknown as CloudFormationCustomResourceEvent

    it('is stored, and CloudFormation is told so; its end leaves it where it is', async () => {
      await register(platform, eventOf('Create', { Tenant: 'default', Name: 'shipped', Source: sourceOf('1') }))
      await register(
        platform,
        eventOf('Update', { Tenant: 'default', Name: 'shipped', Source: sourceOf('2'), Share: '25' }),
      )
      await register(platform, eventOf('Delete', { Tenant: 'default', Name: 'shipped', Source: sourceOf('2') }))
      expect(await stored()).toMatchObject({ latest: 2, aliases: { live: { 1: 75, 2: 25 } } })
      const told = { Status: 'SUCCESS', StackId: 'stack', RequestId: 'request', PhysicalResourceId: 'shippedrecord' }
      expect(answers).toMatchObject(Array.from({ length: 3 }, () => ({ method: 'PUT', body: told })))
    })

    it('ends the deploy with the reason when it cannot be stored', async () => {
      await register(platform, eventOf('Create', { Tenant: 'default', Name: 'shipped', Source: 'workflow: x' }))
      expect(answers).toMatchObject([{ body: { Status: 'FAILED', Reason: expect.stringContaining('steps') } }])
    })
  })
})
