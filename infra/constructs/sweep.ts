import { Duration, Stack } from 'aws-cdk-lib'
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets'
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources'
import type { Construct } from 'constructs'
import { portPermissions } from '#shared/platform/aws/port-permissions.ts'
import { acknowledgeWildcards } from '../acknowledge.ts'
import { builtInAgents } from '../config.ts'
import { clusterName, serviceName } from '../names.ts'
import type { RuledEdgeProps } from './edge.ts'
import { PlatformFunction } from './platform-function.ts'

/** Reminders come by the queue; every minute it looks for what a queue has lost, and scales the built-in agents. */
export class Sweep extends PlatformFunction {
  constructor(scope: Construct, id: string, props: RuledEdgeProps) {
    super(scope, id, { ...props, recursive: true })
    const { data, prefix, undelivered } = props
    this.keepRecords(data.main)
    this.keepRecords(data.volatile)
    this.keepObjects(data.objects)
    this.dispatch(prefix)
    this.publish(data.bus)
    this.runWorkflows(prefix)
    this.answerSteps(prefix)
    this.scaleAgents(prefix)
    this.addEventSource(new SqsEventSource(data.due.queue, { batchSize: 10, reportBatchItemFailures: true }))
    const event = RuleTargetInput.fromObject({})
    new Rule(scope, 'EveryMinute', {
      ruleName: `${prefix}-every-minute`,
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [new LambdaFunction(this, { deadLetterQueue: undelivered, retryAttempts: 2, event })],
    })
  }

  private scaleAgents(prefix: string): void {
    const cluster = clusterName(prefix)
    const arn = (resource: string, resourceName: string) =>
      Stack.of(this).formatArn({ service: 'ecs', resource, resourceName })
    const service = builtInAgents.map(({ agent }) => arn('service', `${cluster}/${serviceName(prefix, agent)}`))
    const { anything, ...named } = portPermissions.scale.actions
    this.allow(named, { service, task: [arn('task', `${cluster}/*`)] })
    this.permit(anything, ['*'], { ArnEquals: { 'ecs:cluster': arn('cluster', cluster) } })
    acknowledgeWildcards(this, {
      [`arn:<AWS::Partition>:ecs:<AWS::Region>:<AWS::AccountId>:task/${cluster}/*`]: 'the tasks of the own cluster',
    })
  }
}
