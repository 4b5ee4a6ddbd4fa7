import { Match, Rule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets'
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources'
import type { Construct } from 'constructs'
import type { EdgeProps, RuledEdgeProps } from './edge.ts'
import { PlatformFunction } from './platform-function.ts'

export interface WorkflowStepsProps extends RuledEdgeProps {
  /** What the ARN of every state machine of workflows begins with. */
  readonly machinePrefix: string
}

/** Does what the steps of runs ask for, and hears of the ends of their machines. */
export class WorkflowSteps extends PlatformFunction {
  constructor(scope: Construct, id: string, props: WorkflowStepsProps) {
    super(scope, id, props)
    const { data, prefix, undelivered, machinePrefix } = props
    this.keepRecords(data.main)
    this.keepRecords(data.volatile)
    this.keepObjects(data.objects)
    this.dispatch(prefix)
    this.runWorkflows(prefix)
    this.answerSteps(prefix)
    this.readMachines(prefix)
    this.addEventSource(new SqsEventSource(data.steps.queue, { batchSize: 10, reportBatchItemFailures: true }))
    new Rule(scope, 'RunEnds', {
      ruleName: `${prefix}-run-ends`,
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: {
          status: ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'],
          stateMachineArn: Match.prefix(`${machinePrefix}-`),
        },
      },
      targets: [new LambdaFunction(this, { deadLetterQueue: undelivered, retryAttempts: 8 })],
    })
  }
}

/** CloudFormation asks it to store the workflows that the stack of workflows has. */
export class WorkflowRegister extends PlatformFunction {
  constructor(scope: Construct, id: string, props: EdgeProps) {
    super(scope, id, props)
    this.keepRecords(props.data.main)
    this.keepObjects(props.data.objects)
  }
}

export interface WorkflowDeployerProps extends EdgeProps {
  /** Who has machines made by it. */
  readonly callers: PlatformFunction[]
}

/** The one role by which machines are made at run time: of the own prefix, acting as the role of workflows alone. */
export class WorkflowDeployer extends PlatformFunction {
  constructor(scope: Construct, id: string, props: WorkflowDeployerProps) {
    super(scope, id, props)
    const { data, prefix, callers } = props
    this.deployWorkflows(prefix, data.workflowRole)
    for (const caller of callers) caller.haveWorkflowsDeployed(prefix, this)
  }
}
