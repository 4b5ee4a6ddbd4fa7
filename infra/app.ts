import { App, type AppProps, Tags, Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import { isStage, type StageConfig, stageNames, stages } from './config.ts'
import { AgentsStack } from './stacks/agents-stack.ts'
import { ApiStack } from './stacks/api-stack.ts'
import { DataStack } from './stacks/data-stack.ts'
import { NetworkStack } from './stacks/network-stack.ts'
import { ObservabilityStack } from './stacks/observability-stack.ts'
import { WorkflowsStack } from './stacks/workflows-stack.ts'

/** Everything that one stage has in an account. What `overrides` names differs from the stage's row. */
export const createApp = (props: AppProps = {}, overrides: Partial<StageConfig> = {}): App => {
  const app = new App(props)
  const stage: unknown = app.node.tryGetContext('stage') ?? 'dev'
  if (!isStage(stage)) throw new Error(`there is no stage ${String(stage)}; -c stage takes ${stageNames.join(', ')}`)
  const prefix = `devcycle-${stage}`
  const shared = { stage, prefix, config: { ...stages[stage], ...overrides } }
  const of = (part: string) => ({
    ...shared,
    stackName: `DevCycle-${stage}-${part}`,
    description: `DevCycle (${stage}): ${part}`,
  })

  const data = new DataStack(app, 'Data', of('Data'))
  const network = new NetworkStack(app, 'Network', of('Network'))
  const api = new ApiStack(app, 'Api', { ...of('Api'), data })
  new AgentsStack(app, 'Agents', { ...of('Agents'), network, gateway: api.gateway })
  new WorkflowsStack(app, 'Workflows', { ...of('Workflows'), data, api })
  new ObservabilityStack(app, 'Observability', { ...of('Observability'), data, api })

  Tags.of(app).add('application', 'devcycle')
  Tags.of(app).add('stage', stage)
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app))
  return app
}

if (import.meta.main) createApp()
