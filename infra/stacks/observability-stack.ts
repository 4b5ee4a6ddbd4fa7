import { Duration, Stack, type StackProps } from 'aws-cdk-lib'
import {
  type Alarm,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import type { Construct } from 'constructs'
import type { StageConfig } from '../config.ts'
import type { ApiStack } from './api-stack.ts'
import type { DataStack } from './data-stack.ts'

export interface ObservabilityStackProps extends StackProps {
  readonly prefix: string
  readonly config: StageConfig
  readonly data: DataStack
  readonly api: ApiStack
}

const period = Duration.minutes(5)

/** What operators look at, and what wakes them. */
export class ObservabilityStack extends Stack {
  private readonly alarms: Topic

  constructor(scope: Construct, id: string, { prefix, config, data, api, ...props }: ObservabilityStackProps) {
    super(scope, id, props)
    this.alarms = new Topic(this, 'Alarms', { enforceSSL: true })
    if (config.alarmEmail) this.alarms.addSubscription(new EmailSubscription(config.alarmEmail))
    this.alarm('ServerErrors', api.restApi.metricServerError({ period }), 1, 'the API answered with 5xx')
    for (const [name, fn] of Object.entries(api.functions)) {
      this.alarm(`${name}Errors`, fn.metricErrors({ period }), 1, `the function ${name} failed`)
      this.alarm(`${name}Throttles`, fn.metricThrottles({ period }), 1, `the function ${name} was throttled`)
    }
    const age = api.functions.Stream?.metric('IteratorAge', { period, statistic: 'Maximum' })
    if (age) this.alarm('ProjectorLag', age, 60_000, 'the projector is more than a minute behind')
    for (const [name, queue] of Object.entries({
      Failures: api.failures.queue,
      DueDeadLetters: data.due.deadLetters,
      Undeliverable: data.undeliverable.queue,
    }))
      this.alarm(
        name,
        queue.metricApproximateNumberOfMessagesVisible({ period }),
        1,
        `something was set aside in ${queue.queueName}`,
      )
    this.addDashboard(prefix)
  }

  private alarm(id: string, metric: Metric, threshold: number, alarmDescription: string): Alarm {
    const alarm = metric.createAlarm(this, id, {
      threshold,
      alarmDescription,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    })
    alarm.addAlarmAction(new SnsAction(this.alarms))
    return alarm
  }

  /** The platform's own metrics, as the projector counts them. */
  private addDashboard(dashboardName: string): void {
    const own = (metricName: string, statistic: string) =>
      new Metric({
        namespace: 'DevCycle',
        metricName,
        statistic,
        period,
        dimensionsMap: { service: `${dashboardName}-stream` },
      })
    const graph = (title: string, ...left: Metric[]) => new GraphWidget({ title, left, width: 12 })
    new Dashboard(this, 'Dashboard', {
      dashboardName,
      widgets: [
        [
          graph('Tasks', own('TasksSubmitted', 'Sum'), own('TasksFinished', 'Sum')),
          graph('Lost leases', own('LeasesLost', 'Sum')),
        ],
        [
          graph('Wait in the queue', own('QueueWait', 'p50'), own('QueueWait', 'p99')),
          graph('From submit to end', own('TaskDuration', 'p50'), own('TaskDuration', 'p99')),
        ],
      ],
    })
  }
}
