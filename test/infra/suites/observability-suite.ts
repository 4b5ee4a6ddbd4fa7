import { describe, expect, it } from 'vitest'
import { project } from '#functions/stream/project.ts'
import { ownMetrics } from '#infra/constructs/graphs.ts'
import type { Task } from '#shared/domain/tasks/task.ts'
import type { Change, Platform, Stored } from '#shared/platform/platform.ts'
import { aTask } from '#test/support/builders.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { changed, flat, type Json, type Synthesized } from '../synthesize.ts'

/** Alarms that AWS gives every account. */
const freeAlarms = 10

const stored = (value: Task, rev: string): Stored<Task> => ({
  pk: 'default#task#1',
  sk: 'head',
  type: 'task',
  rev,
  value,
})
const changeOf = (before: Task | undefined, after: Task): Change => ({
  id: `change-${after.transition.seq}`,
  type: 'task',
  key: { pk: 'default#task#1', sk: 'head' },
  ...(before && { before: stored(before, `r${before.transition.seq}`) }),
  after: stored(after, `r${after.transition.seq}`),
})

/** The metrics that the projector writes about one task that is leased, lost, and leased and finished again. */
const projected = async (): Promise<Map<string, string[]>> => {
  const { platform, close } = await aPlatform()
  const seen = new Map<string, string[]>()
  const metric: Platform['telemetry']['metric'] = (name, _, __, labels = {}) =>
    seen.set(name, Object.keys(labels).sort())
  const moves: Partial<Task>[] = [
    { status: 'QUEUED' },
    { status: 'RUNNING' },
    { status: 'QUEUED', transition: { seq: 3, to: 'QUEUED', at: 3, reason: 'LEASE_LOST' } },
    { status: 'SUCCEEDED' },
  ]
  const tasks = moves.map(({ status = 'QUEUED', transition }, at) =>
    aTask({ status, seq: at + 1, transition: transition ?? { seq: at + 1, to: status, at: at + 1 } }),
  )
  const changes = tasks.map((task, at) => changeOf(tasks[at - 1], task))
  await project({ ...platform, telemetry: { ...platform.telemetry, metric } }, changes)
  await close()
  return seen
}

export const observabilitySuite = (dev: Synthesized) =>
  describe('observability', () => {
    it('lets alarms of the account publish to their topic, and nobody without TLS', () => {
      const [policy] = dev.resources('AWS::SNS::TopicPolicy')
      const statements: Json[] = policy?.properties.PolicyDocument.Statement
      const allow = statements.find(({ Effect }) => Effect === 'Allow')
      expect(allow).toMatchObject({ Action: 'sns:Publish', Principal: { Service: 'cloudwatch.amazonaws.com' } })
      expect(flat(allow.Condition.ArnLike['aws:SourceArn'])).toMatch(/:cloudwatch:.*:alarm:\*$/)
      expect(allow.Condition.StringEquals['aws:SourceAccount']).toEqual({ Ref: 'AWS::AccountId' })
      expect(statements.find(({ Effect }) => Effect === 'Deny')?.Condition).toEqual({
        Bool: { 'aws:SecureTransport': 'false' },
      })
    })

    const alarms = dev.resources('AWS::CloudWatch::Alarm')

    it('wakes somebody for whatever is set aside, late, refused or broken', () => {
      expect(alarms.map(({ properties }) => properties.MetricName).sort()).toEqual([
        '5XXError',
        'ApproximateNumberOfMessagesVisible',
        'ApproximateNumberOfMessagesVisible',
        'ApproximateNumberOfMessagesVisible',
        'Errors',
        'Errors',
        'IteratorAge',
        'OldestTaskAge',
        'Throttles',
        'Throttles',
      ])
      for (const { properties } of alarms) {
        expect(properties).toMatchObject({ TreatMissingData: 'notBreaching', AlarmDescription: expect.any(String) })
        expect(properties.AlarmActions).toEqual([{ Ref: expect.stringContaining('Alarms') }])
      }
    })

    it('has an alarm for every queue that something is set aside in', () => {
      const watched = alarms
        .filter(({ properties }) => properties.Namespace === 'AWS/SQS')
        .map(({ properties }) => flat(properties.Dimensions))
      const aside = dev.resources('AWS::SQS::Queue').filter(({ properties }) => properties.RedrivePolicy === undefined)
      for (const { id } of aside) expect(watched.filter((one) => one.includes(id))).toHaveLength(1)
    })

    it('needs no more alarms than cost nothing', () => {
      expect(alarms.length).toBeLessThanOrEqual(freeAlarms)
    })

    it('writes to whom a stage names', () => {
      expect(changed().resources('AWS::SNS::Subscription')[0]?.properties).toMatchObject({
        Protocol: 'email',
        Endpoint: 'ops@example.com',
      })
    })

    it('shows the metrics that the projector writes, by the labels it gives them', async () => {
      const written = await projected()
      expect(Object.fromEntries(ownMetrics.map(({ name, labels }) => [name, [...labels].sort()]))).toEqual(
        Object.fromEntries(written),
      )
      const [dashboard] = dev.resources('AWS::CloudWatch::Dashboard')
      const body = flat(dashboard?.properties.DashboardBody)
      for (const { name, labels } of ownMetrics)
        expect(body).toContain(
          `SEARCH('{DevCycle,service,${labels.join()}} service=\\"devcycle-dev-stream\\" MetricName=\\"${name}\\"'`,
        )
    })

    it('shows the events that the intake refused', () => {
      const [dashboard] = dev.resources('AWS::CloudWatch::Dashboard')
      expect(flat(dashboard?.properties.DashboardBody)).toContain(
        '["DevCycle","EventsRefused","service","devcycle-dev-intake",{"stat":"Sum"',
      )
    })
  })
