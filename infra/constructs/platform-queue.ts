import { Duration, Stack } from 'aws-cdk-lib'
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { type IQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { acknowledge } from '../acknowledge.ts'

const common = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true, retentionPeriod: Duration.days(14) }

/** Where messages stay that nobody could handle, until somebody has looked at them: two weeks. */
export class DeadLetterQueue extends Queue {
  constructor(scope: Construct, id: string, { queueName }: { readonly queueName: string }) {
    super(scope, id, { ...common, queueName })
    acknowledge(this, 'AwsSolutions-SQS3', 'this is a dead-letter queue')
  }

  /** Lets rules of the default bus and of `bus`, whose names begin so, put aside what they cannot deliver. */
  acceptFromRules(prefix: string, bus: string): void {
    const stack = Stack.of(this)
    const rules = [`${prefix}-*`, `${bus}/${prefix}-*`].map((resourceName) =>
      stack.formatArn({ service: 'events', resource: 'rule', resourceName }),
    )
    this.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('events.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [this.queueArn],
        conditions: { ArnLike: { 'aws:SourceArn': rules }, StringEquals: { 'aws:SourceAccount': stack.account } },
      }),
    )
  }

  /** The queue as another stack's rules see it: the stack of this one does not have to know of them. */
  forRulesOf(scope: Construct): IQueue {
    return Queue.fromQueueArn(scope, `${this.node.id}ForRules`, this.queueArn)
  }
}

export interface PlatformQueueProps {
  /** The platform finds its queues by name. */
  readonly queueName: string
  /** @default 60 seconds */
  readonly visibilityTimeout?: Duration
  /** How often a message may be received before it is set aside. @default 10 */
  readonly maxReceiveCount?: number
  /** Where they are set aside. @default a queue of its own */
  readonly deadLetters?: Queue
}

/** An encrypted queue that only takes TLS, with a dead-letter queue beside it. */
export class PlatformQueue extends Construct {
  readonly queue: Queue
  readonly deadLetters: Queue

  constructor(scope: Construct, id: string, props: PlatformQueueProps) {
    super(scope, id)
    const { queueName, visibilityTimeout = Duration.seconds(60), maxReceiveCount = 10 } = props
    this.deadLetters =
      props.deadLetters ?? new DeadLetterQueue(this, 'DeadLetters', { queueName: `${queueName}-dead-letters` })
    this.queue = new Queue(this, 'Queue', {
      ...common,
      queueName,
      visibilityTimeout,
      receiveMessageWaitTime: Duration.seconds(20),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount },
    })
  }
}
