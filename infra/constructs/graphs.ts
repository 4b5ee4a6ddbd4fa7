import type { Duration } from 'aws-cdk-lib'
import { GraphWidget, type IMetric, type IWidget, MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch'
import type { ApiStack } from '../stacks/api-stack.ts'
import type { DataStack } from '../stacks/data-stack.ts'

/** A metric that the projector writes, with its labels beside the service's name: CloudWatch finds it by all of them. */
export type OwnMetric = { title: string; name: string; labels: string[]; statistics: string[] }

export const ownMetrics: OwnMetric[] = [
  { title: 'Tasks submitted', name: 'TasksSubmitted', labels: ['agent'], statistics: ['Sum'] },
  { title: 'Tasks finished', name: 'TasksFinished', labels: ['agent', 'status'], statistics: ['Sum'] },
  { title: 'Wait in the queue', name: 'QueueWait', labels: ['agent'], statistics: ['p50', 'p99'] },
  { title: 'From submit to end', name: 'TaskDuration', labels: ['agent'], statistics: ['p50', 'p99'] },
  { title: 'Lost leases', name: 'LeasesLost', labels: ['agent'], statistics: ['Sum'] },
]

export interface GraphsProps {
  readonly prefix: string
  readonly data: DataStack
  readonly api: ApiStack
  readonly period: Duration
}

const graph = (title: string, left: IMetric[]): IWidget => new GraphWidget({ title, left, width: 12 })

/** The platform's own metrics by agent, then what AWS says of its parts; two a row. */
export const graphs = ({ prefix, data, api, period }: GraphsProps): IWidget[][] => {
  const found = ({ name, labels }: OwnMetric, statistic: string) =>
    new MathExpression({
      expression: `SEARCH('{DevCycle,${['service', ...labels].join()}} service="${prefix}-stream" MetricName="${name}"', '${statistic}', ${period.toSeconds()})`,
      label: `${labels.map((label) => `\${PROP('Dim.${label}')}`).join(' ')} ${statistic}`,
      usingMetrics: {},
      period,
    })
  const { restApi } = api.publicApi
  const widgets = [
    ...ownMetrics.map((own) =>
      graph(
        own.title,
        own.statistics.map((statistic) => found(own, statistic)),
      ),
    ),
    graph('API', [
      restApi.metricCount({ period }),
      restApi.metricClientError({ period }),
      restApi.metricServerError({ period }),
    ]),
    graph('API latency', [
      restApi.metricLatency({ period, statistic: 'p50' }),
      restApi.metricLatency({ period, statistic: 'p99' }),
    ]),
    graph('Projector lag', [api.stream.metric('IteratorAge', { period, statistic: 'Maximum' })]),
    graph(
      'Set aside',
      [data.failures, data.due.deadLetters, data.undeliverable].map((queue) =>
        queue.metricApproximateNumberOfMessagesVisible({ period, statistic: 'Maximum' }),
      ),
    ),
    graph('Refused events', [
      new Metric({
        namespace: 'DevCycle',
        metricName: 'EventsRefused',
        dimensionsMap: { service: `${prefix}-intake` },
        period,
        statistic: 'Sum',
      }),
    ]),
    graph(
      'Failed functions',
      [api.api, api.gateway, api.stream, api.sweep, api.deliver].map((edge) => edge.metricErrors({ period })),
    ),
  ]
  return Array.from({ length: Math.ceil(widgets.length / 2) }, (_, row) => widgets.slice(row * 2, row * 2 + 2))
}
