import { App, Tags, Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import { isStage, stageNames, stages } from './config.ts'
import { AgentsStack } from './stacks/agents-stack.ts'
import { ApiStack } from './stacks/api-stack.ts'
import { DataStack } from './stacks/data-stack.ts'
import { NetworkStack } from './stacks/network-stack.ts'
import { ObservabilityStack } from './stacks/observability-stack.ts'

const app = new App()
const stage: unknown = app.node.tryGetContext('stage') ?? 'dev'
if (!isStage(stage)) throw new Error(`there is no stage ${String(stage)}; -c stage takes ${stageNames.join(', ')}`)
const config = stages[stage]
const prefix = `devcycle-${stage}`
const named = (part: string) => ({
  stackName: `DevCycle-${stage}-${part}`,
  description: `DevCycle (${stage}): ${part}`,
})

const data = new DataStack(app, 'Data', { ...named('Data'), prefix, config })
const network = new NetworkStack(app, 'Network', { ...named('Network'), config })
const api = new ApiStack(app, 'Api', { ...named('Api'), stage, prefix, config, data })
new AgentsStack(app, 'Agents', { ...named('Agents'), prefix, config, network, gateway: api.gateway })
new ObservabilityStack(app, 'Observability', { ...named('Observability'), prefix, config, data, api })

Tags.of(app).add('application', 'devcycle')
Tags.of(app).add('stage', stage)
Validations.of(app).addPlugins(new AwsSolutionsChecks(app))
