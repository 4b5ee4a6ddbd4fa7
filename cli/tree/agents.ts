import type { Command } from 'commander'
import type { AgentResponse } from '#shared/contracts/agents.ts'
import { addOperations } from './control.ts'
import { addConnection, clientOf, collect, example, oneOf, whole } from './options.ts'

const states = [
  'REGISTERED',
  'DEPLOYING',
  'ONLINE',
  'BUSY',
  'IDLE',
  'OFFLINE',
  'ERROR',
  'MAINTENANCE',
] satisfies AgentResponse['state'][]

export const addAgents = (program: Command): void => {
  const agents = program.command('agents').description('discover and operate agents')
  example(agents, 'agents list')
  addList(agents)
  const get = agents
    .command('get')
    .description('show an agent')
    .argument('<agent>', 'name or id')
    .action(async (agent: string, options) =>
      (await import('../commands/agents.ts')).getAgent(await clientOf(options), agent, options),
    )
  example(addConnection(get), 'agents get code-reviewer')
  addOperations(agents)
}

const addList = (agents: Command): void => {
  const list = agents
    .command('list')
    .description('list agents, newest first')
    .option('--capability <name>', 'only agents that offer it')
    .option('--type <type>', 'only agents of this type')
    .addOption(oneOf('--state <state>', 'only agents in this state', states))
    .option('--label <key:value>', 'only agents with this label; repeatable', collect)
    .option('-q, --query <text>', 'only agents in whose name, type, description or capabilities it occurs')
    .option('--limit <n>', 'at most so many', whole(1, 200), 50)
    .option('--cursor <cursor>', 'go on where a list ended')
    .action(async (options) => (await import('../commands/agents.ts')).listAgents(await clientOf(options), options))
  example(addConnection(list), 'agents list --capability code.review')
}
