import { Duration } from 'aws-cdk-lib'
import { FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda'
import { DynamoEventSource, SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources'
import type { Construct } from 'constructs'
import type { EdgeProps } from './edge.ts'
import { PlatformFunction } from './platform-function.ts'

/** Types of items that the projector has something to do for; what it writes itself does not wake it again. */
export const projectedTypes = [
  'task',
  'agent',
  'offer',
  'approval',
  'batch',
  'run',
  'limits',
  'letter',
  'message',
  'publication',
  'match',
  'schedule',
  'instance',
  'api-key',
]

/**
 * Follows the records. One that cannot be projected holds its shard up for ten tries at most, alone, and is then set
 * aside.
 */
export class Projector extends PlatformFunction {
  constructor(scope: Construct, id: string, props: EdgeProps) {
    super(scope, id, props)
    const { data, prefix } = props
    this.keepRecords(data.main)
    this.keepRecords(data.volatile)
    this.keepObjects(data.objects)
    this.dispatch(prefix)
    this.receive(prefix)
    this.publish(data.bus)
    this.runWorkflows(prefix)
    this.answerSteps(prefix)
    this.addEventSource(
      new DynamoEventSource(data.main, {
        startingPosition: StartingPosition.TRIM_HORIZON,
        batchSize: 100,
        parallelizationFactor: 4,
        retryAttempts: 10,
        maxRecordAge: Duration.hours(6),
        bisectBatchOnError: true,
        reportBatchItemFailures: true,
        onFailure: new SqsDlq(data.failures),
        filters: [FilterCriteria.filter({ dynamodb: { NewImage: { type: { S: FilterRule.or(...projectedTypes) } } } })],
      }),
    )
  }
}
