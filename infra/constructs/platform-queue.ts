import { Duration } from 'aws-cdk-lib'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { acknowledge } from '../acknowledge.ts'

export interface PlatformQueueProps {
  /** The platform finds its queues by name. */
  readonly queueName: string
  /** @default 60 seconds */
  readonly visibilityTimeout?: Duration
  /** How often a message may be received before it is set aside. @default 10 */
  readonly maxReceiveCount?: number
  /** A queue of what was set aside has none of its own. @default false */
  readonly isDeadLetterQueue?: boolean
}

/** An encrypted queue that only takes TLS, with a dead-letter queue beside it. */
export class PlatformQueue extends Construct {
  readonly queue: Queue
  readonly deadLetters: Queue

  constructor(scope: Construct, id: string, props: PlatformQueueProps) {
    super(scope, id)
    const {
      queueName,
      visibilityTimeout = Duration.seconds(60),
      maxReceiveCount = 10,
      isDeadLetterQueue = false,
    } = props
    const common = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true, retentionPeriod: Duration.days(14) }
    this.deadLetters = new Queue(this, 'DeadLetters', {
      ...common,
      queueName: isDeadLetterQueue ? queueName : `${queueName}-dead-letters`,
    })
    acknowledge(this.deadLetters, 'AwsSolutions-SQS3', 'this is a dead-letter queue')
    this.queue = isDeadLetterQueue
      ? this.deadLetters
      : new Queue(this, 'Queue', {
          ...common,
          queueName,
          visibilityTimeout,
          receiveMessageWaitTime: Duration.seconds(20),
          deadLetterQueue: { queue: this.deadLetters, maxReceiveCount },
        })
  }
}
