import { EventBus, Match, Rule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets'
import type { Construct } from 'constructs'
import type { RuledEdgeProps } from './edge.ts'
import { PlatformFunction } from './platform-function.ts'

/** Tasks come by the default bus; what others put on the own one becomes messages, except what it has put there itself. */
export class Intake extends PlatformFunction {
  constructor(scope: Construct, id: string, props: RuledEdgeProps) {
    super(scope, id, props)
    const { data, prefix, undelivered } = props
    this.keepRecords(data.main)
    this.keepRecords(data.volatile)
    this.keepObjects(data.objects)
    this.dispatch(prefix)
    const targets = [new LambdaFunction(this, { deadLetterQueue: undelivered, retryAttempts: 8 })]
    new Rule(scope, 'IntakeRule', {
      ruleName: `${prefix}-intake`,
      eventBus: EventBus.fromEventBusName(scope, 'DefaultBus', 'default'),
      eventPattern: { detailType: ['devcycle.task.submit'] },
      targets,
    })
    new Rule(scope, 'MessagesRule', {
      ruleName: `${prefix}-messages`,
      eventBus: data.bus,
      eventPattern: {
        source: Match.anythingButPrefix('io.devcycle'),
        detailType: Match.anythingBut('devcycle.task.submit'),
        detail: { hops: Match.doesNotExist() },
      },
      targets,
    })
  }
}
