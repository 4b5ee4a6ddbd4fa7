import { ArnFormat, Stack } from 'aws-cdk-lib'
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import type { Construct } from 'constructs'
import { stateMachinesNamed } from '../names.ts'

export interface WorkflowRoleProps {
  /** Of the names of the machines that may have this role. */
  readonly prefix: string
  /** Where their steps send commands; they may do nothing else. */
  readonly steps: IQueue
}

/** What the state machines of workflows act as: they send commands of steps. */
export class WorkflowRole extends Role {
  constructor(scope: Construct, id: string, { prefix, steps }: WorkflowRoleProps) {
    const stack = Stack.of(scope)
    const machines = stack.formatArn({
      service: 'states',
      resource: 'stateMachine',
      resourceName: stateMachinesNamed(prefix),
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    })
    super(scope, id, {
      description: 'State machines of workflows: they send commands of steps, and nothing else',
      assumedBy: new ServicePrincipal('states.amazonaws.com', {
        conditions: {
          ArnLike: { 'aws:SourceArn': machines },
          StringEquals: { 'aws:SourceAccount': stack.account },
        },
      }),
    })
    this.addToPolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [steps.queueArn] }))
  }
}
