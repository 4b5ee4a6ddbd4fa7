import { CustomResource, Duration, Stack } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import type { StageProps } from '../config.ts'
import { WorkflowMachine } from '../constructs/workflow-machine.ts'
import { type ShippedWorkflow, shippedWorkflows } from '../shipped-workflows.ts'
import type { ApiStack } from './api-stack.ts'
import type { DataStack } from './data-stack.ts'

export interface WorkflowsStackProps extends StageProps {
  readonly data: DataStack
  readonly api: ApiStack
}

/** Whom the workflows belong to that ship: the tenant of the first key. */
const tenant = 'default'

/** The workflows of `workflows/`: their state machines, compiled at synth, and the records by which runs find them. */
export class WorkflowsStack extends Stack {
  private readonly settings: WorkflowsStackProps

  constructor(scope: Construct, id: string, props: WorkflowsStackProps) {
    super(scope, id, props)
    this.settings = props
    for (const workflow of shippedWorkflows()) this.addWorkflow(workflow)
  }

  private addWorkflow({ name, source, machines }: ShippedWorkflow): void {
    const { data, prefix, api, config } = this.settings
    const record = new CustomResource(this, `${name}-record`, {
      resourceType: 'Custom::DevCycleWorkflow',
      serviceToken: api.register.functionArn,
      serviceTimeout: Duration.minutes(2),
      properties: {
        Tenant: tenant,
        Name: name,
        Source: source,
        ...(config.workflowShare !== undefined && { Share: config.workflowShare }),
      },
    })
    for (const { name: workflow, definition } of machines) {
      const { alias } = new WorkflowMachine(this, workflow, {
        prefix,
        tenant,
        workflow,
        definition,
        roleArn: data.workflowRole.roleArn,
        stepsQueueUrl: data.steps.queue.queueUrl,
      })
      record.node.addDependency(alias)
    }
  }
}
