import { describe, expect, it } from 'vitest'
import { projectedTypes } from '#functions/stream/project.ts'
import { projectedTypes as filtered } from '#infra/constructs/projector.ts'
import { flat, type Json, type Synthesized } from '../synthesize.ts'

export const edgesSuite = (dev: Synthesized) =>
  describe('what runs without anybody waiting', () => {
    const mappings = dev.resources('AWS::Lambda::EventSourceMapping')
    const [stream] = mappings.filter(({ properties }) => properties.StartingPosition !== undefined)
    const queues = mappings.filter(({ properties }) => properties.StartingPosition === undefined)

    it('sets a record aside that cannot be projected, by itself, after ten tries or six hours', () => {
      expect(stream?.properties).toMatchObject({
        StartingPosition: 'TRIM_HORIZON',
        MaximumRetryAttempts: 10,
        MaximumRecordAgeInSeconds: 21_600,
        BisectBatchOnFunctionError: true,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
      })
      expect(flat(stream?.properties.DestinationConfig.OnFailure.Destination)).toContain('Failures')
    })

    it('wakes the projector for exactly what it projects', () => {
      const [{ Pattern }] = stream?.properties.FilterCriteria.Filters ?? [{}]
      expect(JSON.parse(Pattern)).toEqual({ dynamodb: { NewImage: { type: { S: projectedTypes } } } })
      expect(filtered).toEqual(projectedTypes)
    })

    it('gives single messages back, and sets aside what came ten times', () => {
      expect(queues).toHaveLength(3)
      for (const { properties } of queues) {
        expect(properties.FunctionResponseTypes).toEqual(['ReportBatchItemFailures'])
        expect(flat(properties.EventSourceArn)).toMatch(/DueQueue|DeliveriesQueue|StepsQueue/)
      }
      const due = dev.resources('AWS::SQS::Queue').find(({ id }) => id.startsWith('DueQueue'))
      expect(due?.properties.RedrivePolicy.maxReceiveCount).toBe(10)
      expect(flat(due?.properties.RedrivePolicy.deadLetterTargetArn)).toContain('DueDeadLetters')
    })

    it('hides a message for six times as long as a function may take', () => {
      for (const [receiver, name] of Object.entries({
        Sweep: 'DueQueue',
        Deliver: 'DeliveriesQueue',
        WorkflowSteps: 'StepsQueue',
      })) {
        const edge = dev.resources('AWS::Lambda::Function').find(({ id }) => id.startsWith(receiver))
        const queue = dev.resources('AWS::SQS::Queue').find(({ id }) => id.startsWith(name))
        expect(queue?.properties.VisibilityTimeout).toBeGreaterThanOrEqual(6 * edge?.properties.Timeout)
      }
    })

    it('lets reminders come back for as long as something lives, and stops every other loop', () => {
      const functions = dev.resources('AWS::Lambda::Function').map(({ properties }) => properties)
      const endless = functions.filter(({ RecursiveLoop }) => RecursiveLoop === 'Allow')
      expect(endless.map(({ FunctionName }) => FunctionName)).toEqual(['devcycle-dev-sweep', 'devcycle-dev-deliver'])
      for (const { RecursiveLoop } of functions) expect(RecursiveLoop).toMatch(/^(Allow|Terminate)$/)
    })

    it('has a queue for every queue that is received from, and for every target of a rule', () => {
      const deadLetterQueues = /DeadLetters|Failures|Undeliverable/
      for (const { id, properties } of dev.resources('AWS::SQS::Queue'))
        expect(deadLetterQueues.test(id) || properties.RedrivePolicy !== undefined).toBe(true)
      const rules = dev.resources('AWS::Events::Rule')
      expect(rules.map(({ properties }) => properties.Name)).toEqual([
        'devcycle-dev-every-minute',
        'devcycle-dev-run-ends',
        'devcycle-dev-intake',
        'devcycle-dev-messages',
      ])
      for (const { properties } of rules)
        for (const target of properties.Targets) expect(flat(target.DeadLetterConfig.Arn)).toContain('Failures')
    })

    it('tells of the ends of runs of its own state machines alone', () => {
      const rule = dev.resources('AWS::Events::Rule').find(({ id }) => id.startsWith('RunEnds'))
      const { source, detail } = rule?.properties.EventPattern ?? {}
      expect(source).toEqual(['aws.states'])
      expect(detail.status).toEqual(['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'])
      expect(flat(detail.stateMachineArn[0].prefix)).toMatch(/:stateMachine:devcycle-dev-$/)
    })

    it('lets those rules put into that queue, and no other', () => {
      const [bus] = dev.resources('AWS::Events::EventBus')
      const policy = dev.resources('AWS::SQS::QueuePolicy').find(({ id }) => id.startsWith('Failures'))
      const statements: Json[] = policy?.properties.PolicyDocument.Statement ?? []
      const allow = statements.find(({ Effect }) => Effect === 'Allow')
      expect(allow).toMatchObject({ Action: 'sqs:SendMessage', Principal: { Service: 'events.amazonaws.com' } })
      const allowed: string[] = allow.Condition.ArnLike['aws:SourceArn'].map(
        (arn: Json) => flat(arn).split(':rule/')[1],
      )
      expect(allowed).toEqual(['devcycle-dev-*', 'devcycle-dev/devcycle-dev-*'])
      for (const { properties } of dev.resources('AWS::Events::Rule')) {
        const isOwn = !['default', undefined].includes(properties.EventBusName)
        const name = `${isOwn ? `${bus?.properties.Name}/` : ''}${properties.Name}`
        expect([name, allowed.some((one) => name.startsWith(one.slice(0, -1)))]).toEqual([name, true])
      }
      expect(allow.Condition.StringEquals['aws:SourceAccount']).toEqual({ Ref: 'AWS::AccountId' })
    })

    it('keeps an event that a function failed on', () => {
      const targets = dev
        .resources('AWS::Events::Rule')
        .flatMap(({ properties }) =>
          properties.Targets.map(({ Arn }: { Arn: { 'Fn::GetAtt': string[] } }) => Arn['Fn::GetAtt'][0]),
        )
      const kept = dev.resources('AWS::Lambda::EventInvokeConfig')
      expect(kept.map(({ properties }) => properties.FunctionName.Ref).sort()).toEqual([...new Set(targets)].sort())
      for (const { properties } of kept)
        expect(flat(properties.DestinationConfig.OnFailure.Destination)).toContain('Failures')
    })

    it('takes events of one kind from the default bus', () => {
      const intake = dev.resources('AWS::Events::Rule').find(({ id }) => id.startsWith('IntakeRule'))
      expect(intake?.properties).toMatchObject({
        EventBusName: 'default',
        EventPattern: { 'detail-type': ['devcycle.task.submit'] },
      })
    })

    it('takes events of others from the own bus as messages, and not what it has put there itself', () => {
      const messages = dev
        .resources('AWS::Events::Rule')
        .find(({ properties }) => /anything-but/.test(JSON.stringify(properties.EventPattern ?? '')))
      expect(messages?.properties.EventPattern).toEqual({
        source: [{ 'anything-but': { prefix: 'io.devcycle' } }],
        'detail-type': [{ 'anything-but': ['devcycle.task.submit'] }],
        detail: { hops: [{ exists: false }] },
      })
    })
  })
