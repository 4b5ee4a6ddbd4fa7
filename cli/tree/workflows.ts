import type { Command } from 'commander'
import { addConnection, clientOf, example, whole } from './options.ts'

const commands = () => import('../commands/workflows.ts')
const file = ['<file>', 'a definition in YAML or JSON, or - for standard input'] as const

export const addWorkflows = (program: Command): void => {
  const workflows = program.command('workflows').description('check, store, compile and draw workflows')
  example(workflows, 'workflows validate release.yaml', 'workflows graph release.yaml')
  const validate = workflows
    .command('validate')
    .description('say what is wrong with a definition, with line and column; exit 1 when it cannot run')
    .argument(...file)
    .option('--strict', 'warnings are errors too')
    .option('--json', 'print the problems as JSON')
    .action(async (path: string, options) => (await commands()).validateWorkflow(path, options))
  example(validate, 'workflows validate release.yaml', 'workflows validate release.yaml --strict')
  const save = workflows
    .command('save')
    .description('store a definition as the next version of its workflow')
    .argument(...file)
    .option('--strict', 'refuse it for warnings too')
    .action(async (path: string, options) => (await commands()).saveWorkflow(await clientOf(options), path, options))
  example(addConnection(save), 'workflows save release.yaml')
  const list = workflows
    .command('list')
    .description('list workflows, by name')
    .option('--limit <n>', 'at most so many', whole(1, 200), 50)
    .option('--cursor <cursor>', 'go on where a list ended')
    .action(async (options) => (await commands()).listWorkflows(await clientOf(options), options))
  example(addConnection(list), 'workflows list')
  const compile = workflows
    .command('compile')
    .description('print the state machine of a definition in Amazon States Language')
    .argument(...file)
    .option('--undo', 'the one that undoes what a run had completed when it does not succeed')
    .action(async (path: string, options) => (await commands()).compileWorkflow(path, options))
  example(compile, 'workflows compile release.yaml')
  const graph = workflows
    .command('graph')
    .description('print a definition as a flowchart in Mermaid')
    .argument(...file)
    .action(async (path: string) => (await commands()).drawWorkflow(path))
  example(graph, 'workflows graph release.yaml')
}
