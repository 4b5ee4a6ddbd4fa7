import { createHash } from 'node:crypto'
import { CfnDeletionPolicy, Tags } from 'aws-cdk-lib'
import { CfnStateMachine, CfnStateMachineAlias, CfnStateMachineVersion } from 'aws-cdk-lib/aws-stepfunctions'
import { Construct } from 'constructs'
import { machineName, machineTags } from '#shared/platform/aws/state-machine-names.ts'
import { acknowledge } from '../acknowledge.ts'

export interface WorkflowMachineProps {
  readonly prefix: string
  readonly tenant: string
  readonly workflow: string
  /** Amazon States Language with the places of the tenant and of the steps' queue open. */
  readonly definition: string
  readonly roleArn: string
  readonly stepsQueueUrl: string
}

/**
 * The state machine of a workflow, its definition published as a version, and the alias `live` that gives that version
 * every start. The running platform finds the machine by its name, and gives versions aliases of its own. Versions stay
 * when the next one comes: runs are on them.
 */
export class WorkflowMachine extends Construct {
  readonly alias: CfnStateMachineAlias

  constructor(scope: Construct, id: string, props: WorkflowMachineProps) {
    super(scope, id)
    const { prefix, tenant, workflow, definition, roleArn, stepsQueueUrl } = props
    const machine = new CfnStateMachine(this, 'Machine', {
      stateMachineName: machineName(prefix, { tenant, workflow }),
      stateMachineType: 'STANDARD',
      roleArn,
      definitionString: definition,
      definitionSubstitutions: { StepsQueueUrl: stepsQueueUrl, Tenant: tenant },
    })
    Tags.of(machine).add(machineTags.tenant, tenant)
    Tags.of(machine).add(machineTags.workflow, workflow)
    acknowledge(
      machine,
      'AwsSolutions-SF1',
      'Step Functions keeps the history of a run for 90 days, and the record longer',
    )
    acknowledge(machine, 'AwsSolutions-SF2', 'traces are carried through the commands that its steps send')
    const digest = createHash('sha256').update(definition).digest('hex').slice(0, 12)
    const version = new CfnStateMachineVersion(this, `Version${digest}`, {
      stateMachineArn: machine.attrArn,
      stateMachineRevisionId: machine.attrStateMachineRevisionId,
      description: digest,
    })
    version.cfnOptions.deletionPolicy = CfnDeletionPolicy.RETAIN
    version.cfnOptions.updateReplacePolicy = CfnDeletionPolicy.RETAIN
    this.alias = new CfnStateMachineAlias(this, 'Live', {
      name: 'live',
      routingConfiguration: [{ stateMachineVersionArn: version.attrArn, weight: 100 }],
    })
  }
}
