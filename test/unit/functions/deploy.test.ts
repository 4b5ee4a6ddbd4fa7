import { describe, expect, it } from 'vitest'
import { deploy } from '#functions/deployer/deploy.ts'
import type { WorkflowDefinition } from '#shared/platform/platform.ts'
import { PlatformError } from '#shared/platform/platform-error.ts'
import { aMachine, aMap, aParallel, aStep } from '#test/support/machines.ts'

const definitionOf = (asl: unknown): WorkflowDefinition => ({ tenant: 'acme', workflow: 'w', version: '1', asl })
const good = definitionOf(aMachine({ Both: aParallel([{ Ask: aStep() }, { Each: aMap({ One: aStep() }) }]) }))

describe('the deployer of machines', () => {
  it('makes what sends commands of steps', async () => {
    const made: WorkflowDefinition[] = []
    expect(await deploy({ deploy: async (one) => void made.push(one) }, good)).toEqual({ ok: true })
    expect(made).toEqual([good])
  })

  it.each([
    'arn:aws:states:::lambda:invoke',
    'arn:aws:states:::aws-sdk:dynamodb:scan',
    'arn:aws:lambda:us-east-1:000000000000:function:other',
    'arn:aws:states:::states:startExecution.sync:2',
  ])('makes nothing that would call %s, however deep', async (resource) => {
    const made: unknown[] = []
    const deep = aMachine({ Each: aMap({ Both: aParallel([{ Other: { Type: 'Task', Resource: resource } }]) }) })
    const answer = await deploy({ deploy: async (one) => void made.push(one) }, definitionOf(deep))
    expect(answer).toMatchObject({ ok: false, code: 'INVALID', message: expect.stringContaining(resource) })
    expect(made).toEqual([])
  })

  it('answers what Step Functions refuses, and fails when it could not be asked', async () => {
    const refuse = (code: 'INVALID' | 'THROTTLED') => ({
      deploy: async () => {
        throw new PlatformError(code, 'because')
      },
    })
    expect(await deploy(refuse('INVALID'), good)).toEqual({ ok: false, code: 'INVALID', message: 'because' })
    await expect(deploy(refuse('THROTTLED'), good)).rejects.toMatchObject({ code: 'THROTTLED' })
  })
})
