import { Duration, Stack } from 'aws-cdk-lib'
import { ComparisonOperator, Dashboard, Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import type { Construct } from 'constructs'
import type { StageProps } from '../config.ts'
import { graphs } from '../constructs/graphs.ts'
import type { ApiStack } from './api-stack.ts'
import type { DataStack } from './data-stack.ts'

export interface ObservabilityStackProps extends StageProps {
  readonly data: DataStack
  readonly api: ApiStack
}

type AlarmRow = { id: string; metric: Metric; threshold: number; description: string }

const period = Duration.minutes(5)
const minutes = (count: number): number => count * 60_000

/** What operators look at, and what wakes them. */
export class ObservabilityStack extends Stack {
  readonly alarms: Topic

  constructor(scope: Construct, id: string, props: ObservabilityStackProps) {
    super(scope, id, props)
    const { prefix, config, data, api } = props
    this.alarms = this.topicOfAlarms()
    if (config.alarmEmail) this.alarms.addSubscription(new EmailSubscription(config.alarmEmail))
    for (const row of [...answering(api), ...following(prefix, api), ...setAside(data)]) this.addAlarm(row)
    new Dashboard(this, 'Dashboard', { dashboardName: prefix, widgets: graphs({ prefix, data, api, period }) })
  }

  /** Its policy stands in the place of the one that a topic has by itself, so it has to say that alarms may publish. */
  private topicOfAlarms(): Topic {
    const topic = new Topic(this, 'Alarms', { enforceSSL: true })
    const { account } = this
    const alarms = this.formatArn({ service: 'cloudwatch', resource: 'alarm:*' })
    topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { ArnLike: { 'aws:SourceArn': alarms }, StringEquals: { 'aws:SourceAccount': account } },
      }),
    )
    return topic
  }

  private addAlarm({ id, metric, threshold, description }: AlarmRow): void {
    const alarm = metric.createAlarm(this, id, {
      threshold,
      alarmDescription: description,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    })
    alarm.addAlarmAction(new SnsAction(this.alarms))
  }
}

/** What callers wait for. */
const answering = ({ api, gateway, publicApi }: ApiStack): AlarmRow[] => [
  {
    id: 'ServerErrors',
    metric: publicApi.restApi.metricServerError({ period, statistic: 'Sum' }),
    threshold: 1,
    description: 'the API answered with 5xx',
  },
  ...Object.entries({ Api: api, AgentGateway: gateway }).flatMap(([name, edge]): AlarmRow[] => [
    {
      id: `${name}Errors`,
      metric: edge.metricErrors({ period }),
      threshold: 1,
      description: `the function ${edge.node.id} failed`,
    },
    {
      id: `${name}Throttles`,
      metric: edge.metricThrottles({ period }),
      threshold: 1,
      description: `there is no room for more of the function ${edge.node.id}: raise the concurrency of the account`,
    },
  ]),
]

/** What should never be far behind. */
const following = (prefix: string, { stream }: ApiStack): AlarmRow[] => [
  {
    id: 'ProjectorLag',
    metric: stream.metric('IteratorAge', { period, statistic: 'Maximum' }),
    threshold: minutes(1),
    description: 'events, webhooks and metrics are more than a minute behind the records',
  },
  {
    id: 'OldestTask',
    metric: new Metric({
      namespace: 'DevCycle',
      metricName: 'OldestTaskAge',
      dimensionsMap: { service: `${prefix}-sweep` },
      period,
      statistic: 'Maximum',
    }),
    threshold: minutes(15),
    description: 'a task has been waiting in its queue for 15 minutes',
  },
]

/** Whatever runs without anybody waiting ends here when it cannot be done. */
const setAside = ({ failures, due, undeliverable }: DataStack): AlarmRow[] =>
  Object.entries({ Failures: failures, DueDeadLetters: due.deadLetters, Undeliverable: undeliverable }).map(
    ([id, queue]) => ({
      id,
      metric: queue.metricApproximateNumberOfMessagesVisible({ period, statistic: 'Maximum' }),
      threshold: 1,
      description: `something was set aside: look at the queue ${queue.node.path}`,
    }),
  )
