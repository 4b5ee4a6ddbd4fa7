import { type Command, Option } from 'commander'
import type { RunResponse } from '#shared/contracts/workflows.ts'
import type { Client } from '../client/client.ts'
import { addConnection, type Connection, clientOf, example, oneOf, whole } from './options.ts'

const states = [
  'RUNNING',
  'COMPENSATING',
  'SUCCEEDED',
  'FAILED',
  'TIMED_OUT',
  'STOPPED',
] satisfies RunResponse['state'][]
const someId = 'run_01KB2V7Q5W8S5ZK3M9N1P4R6T9'
const commands = () => import('../commands/runs.ts')

export const addRun = (program: Command): void => {
  const run = program
    .command('run')
    .description('start a workflow, by its name or from a file')
    .argument('<workflow>', 'name of a workflow, or file of a definition in YAML or JSON, which is stored first')
    .option('--input <json>', 'its input: JSON, @file, or - for standard input')
    .option(
      '--repository <place>',
      'put a repository into the input: a path (sent as it is committed) or https:// address',
    )
    .option('--base <ref>', 'put into the input what the repository is compared with')
    .option('--at <version>', 'number of a version, or an alias; default: live, else the latest')
    .option('--idempotency-key <key>', 'the same key with the same options gives the same run')
    .addOption(
      new Option('--follow', 'show its steps until it is over; the exit code is its outcome').default(
        process.stdout.isTTY && process.stderr.isTTY,
        'where standard output and error are a terminal',
      ),
    )
    .option('--no-follow', 'print its id and exit with 0 at once; the default elsewhere, as in a pipe or CI')
    .action(async (workflow: string, options) =>
      (await import('../commands/run.ts')).runWorkflow(await clientOf(options), workflow, options),
    )
  example(
    addConnection(run),
    'run pull-request --repository . --base HEAD~5',
    `run ./release.yaml --input '{"version": "1.2.0"}' --no-follow`,
  )
}

export const addRuns = (program: Command): void => {
  const runs = program.command('runs').description('look after runs of workflows')
  example(runs, 'runs list --state running', `runs why ${someId}`)
  const list = runs
    .command('list')
    .description('list runs, newest first')
    .option('--workflow <name>', 'of this workflow alone')
    .addOption(oneOf('--state <state>', 'in this state', states))
    .option('--limit <n>', 'at most so many', whole(1, 200), 20)
    .option('--cursor <cursor>', 'go on where a list ended')
    .action(async ({ workflow, state, limit, cursor, json, ...options }) =>
      (await commands()).listRuns(await clientOf(options), { workflow, state, limit, cursor, json }),
    )
  example(addConnection(list), 'runs list', 'runs list --workflow pull-request --state failed')
  addOne(runs, ['show', 'show a run with the state of every step'], async () => (await commands()).showRun)
  addOne(runs, ['follow', 'show a run until it is over'], async () => (await commands()).followOne)
  addOne(runs, ['why', 'what a run waits for, or how it ended'], async () => (await commands()).whyRun)
  addOne(
    runs,
    ['stop', 'end a run: what it had completed is undone'],
    async () => (await commands()).stopRun,
    (command) => command.option('--reason <text>', 'why'),
  )
  addOne(runs, ['redrive', 'go on with a run from the step that failed'], async () => (await commands()).redriveRun)
  addOne(
    runs,
    ['rerun', 'start a run again, and print the id of the new one'],
    async () => (await commands()).rerunRun,
    (command) =>
      command
        .option('--input <json>', 'another input: JSON, @file, or - for standard input')
        .option('--at <version>', 'another version, or an alias')
        .option('--idempotency-key <key>', 'the same key gives the same run'),
  )
}

const addOne = (
  runs: Command,
  [name, description]: [name: string, description: string],
  load: () => Promise<(client: Client, run: string, options: Connection) => Promise<void>>,
  more: (command: Command) => Command = (command) => command,
): void => {
  const command = addConnection(more(runs.command(name).description(description)))
    .argument('<run>', 'id of the run')
    .action(async (run: string, options: Connection) => (await load())(await clientOf(options), run, options))
  example(command, `runs ${name} ${someId}`)
}
