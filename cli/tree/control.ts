import { type Command, Option } from 'commander'
import type { AgentOperation } from '../commands/control.ts'
import { addConnection, clientOf, collect, example, oneOf } from './options.ts'

const someId = 'tsk_01KB2V7Q5W8S5ZK3M9N1P4R6T8'
const unfinished = ['SCHEDULED', 'QUEUED', 'RUNNING', 'WAITING'] as const

/** Commands that do a task again, and that cancel many. */
export const addControl = (tasks: Command): void => {
  const retry = tasks
    .command('retry')
    .description('do a task again that failed, was cancelled, or backs off')
    .argument('<task>', 'id of the task')
    .addOption(
      new Option('--from <where>', 'where the new task begins').choices(['checkpoint', 'start']).default('checkpoint'),
    )
    .action(async (task: string, options) =>
      (await import('../commands/control.ts')).retryTask(await clientOf(options), task, options),
    )
  example(addConnection(retry), `tasks retry ${someId} --from start`)
  const cancel = tasks
    .command('cancel-many')
    .description('cancel every unfinished task that the options name; the kill switch')
    .option('--agent <agent>', 'tasks of this agent')
    .option('--capability <name>', 'tasks of this capability; message:TYPE: those that handle messages')
    .addOption(oneOf('--status <status>', 'tasks in this state', unfinished))
    .addOption(new Option('--priority <priority>', 'tasks of this lane').choices(['low', 'normal', 'high', 'urgent']))
    .option('--label <key:value>', 'tasks with this label; repeatable', collect)
    .option('--parent <task>', 'tasks that this one called')
    .option('--since <time>', 'tasks made from then on, such as 2026-01-31T12:00:00Z')
    .option('--until <time>', 'tasks made before then')
    .option('--reason <text>', 'told with the end of each')
    .option('--all', 'everything that has not ended')
    .option('--dry-run', 'only say how many')
    .option('--yes', 'cancel them')
    .action(async (options) => (await import('../commands/control.ts')).cancelTasks(await clientOf(options), options))
  example(addConnection(cancel), 'tasks cancel-many --agent my-agent --yes')
}

const operations: [AgentOperation, string][] = [
  ['pause', 'hand nothing more out while its queue grows; what runs goes on'],
  ['resume', 'end pause and maintenance'],
  ['maintenance', 'take it into maintenance: its instances finish and leave until it is resumed'],
  ['drain', 'let its instances finish what they run, and leave'],
  ['activate', 'bring it back into service'],
]

/** Commands that change what an agent may do. */
export const addOperations = (agents: Command): void => {
  const scale = agents
    .command('scale')
    .description('say how many copies of an agent its host keeps')
    .argument('<agent>', 'name or id')
    .argument('<instances>', 'a number, or auto')
    .option('--reason <text>', 'kept in its history')
    .action(async (agent: string, instances: string, options) =>
      (await import('../commands/control.ts')).scaleAgent(await clientOf(options), [agent, instances], options),
    )
  example(addConnection(scale), 'agents scale my-agent 2')
  for (const [operation, description] of operations) {
    const command = agents
      .command(operation)
      .description(description)
      .argument('<agent>', 'name or id')
      .option('--reason <text>', 'kept in its history')
      .action(async (agent: string, options) =>
        (await import('../commands/control.ts')).operateAgent(await clientOf(options), [operation, agent], options),
      )
    example(addConnection(command), `agents ${operation} my-agent --reason 'a deploy'`)
  }
}
