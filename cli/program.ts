import { readFileSync } from 'node:fs'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { Client } from './client/client.ts'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

/** A whole number within bounds. */
const whole =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}`)
    return value
  }
const collect = (text: string, all: string[] = []): string[] => [...all, text]
const env = (flags: string, description: string, name: string): Option => new Option(flags, description).env(name)

/** Options of every command that talks to a server; read by `clientOf`. */
const addConnection = (command: Command): Command =>
  command
    .addOption(env('--url <url>', 'server to talk to (default: the one on the data folder)', 'DEVCYCLE_URL'))
    .addOption(env('--api-key <key>', 'API key (default: the one in the data folder)', 'DEVCYCLE_API_KEY'))
    .addOption(env('--data <dir>', 'data folder of a server on this machine', 'DEVCYCLE_DATA').default('.devcycle'))
    .option('--json', "print the API's own JSON")

export type Common = { url?: string; apiKey?: string; data?: string; json?: boolean }

const clientOf = async (options: Common): Promise<Client> => (await import('./client/connect.ts')).connect(options)

const example = (command: Command, text: string): Command =>
  command.addHelpText('after', `\nExample:\n  $ devcycle ${text}`)

/** The command tree. What a command does is loaded when it runs. */
export const createProgram = (): Command => {
  const program = new Command('devcycle')
    .description('Runs AI agents for the software development life cycle.')
    .version(version, '-V, --version')
    .showHelpAfterError('(--help shows what is possible)')
    .exitOverride()
  addStart(program)
  addReview(program)
  addAgents(program)
  addTasks(program)
  addObjects(program)
  addBootstrap(program)
  addCompletion(program)
  return program
}

const addStart = (program: Command): void => {
  const command = program
    .command('start')
    .description('start the server on this machine')
    .addOption(
      env('--port <number>', 'port to listen on; 0 takes any free one', 'DEVCYCLE_PORT')
        .argParser(whole(0, 65_535))
        .default(8787),
    )
    .addOption(env('--host <address>', 'address to listen on', 'DEVCYCLE_HOST').default('127.0.0.1'))
    .addOption(env('--data <dir>', 'data folder', 'DEVCYCLE_DATA').default('.devcycle'))
    .addOption(
      env('--agent <path>', 'folder of an agent of your own; repeatable', 'DEVCYCLE_AGENTS')
        .argParser(collect)
        .default([]),
    )
    .addOption(env('--no-agents', 'register and start no agents', 'DEVCYCLE_NO_AGENTS'))
    .addOption(env('--no-tour', 'skip the first review on an empty data folder', 'DEVCYCLE_NO_TOUR'))
    .action(async (options) => (await import('./commands/start.ts')).start(options))
  example(command, 'start --port 0 --agent ./my-agent')
}

const addReview = (program: Command): void => {
  const command = program
    .command('review')
    .description('review a repository: its committed HEAD, or only what changed since --base')
    .argument('<repository>', 'path of a git repository, or its https address')
    .option('--base <ref>', 'report only findings on lines that changed since this commit')
    .addOption(
      new Option('--format <format>', 'how to print the result')
        .choices(['table', 'json', 'sarif', 'markdown'])
        .default('table'),
    )
    .addOption(
      new Option('--fail-on <level>', 'exit with 1 at findings of this level or above')
        .choices(['error', 'warning', 'never'])
        .default('error'),
    )
    .option('--output <file>', 'write the result to a file instead')
    .action(async (repository: string, options) =>
      (await import('./commands/review.ts')).review(await clientOf(options), repository, options),
    )
  example(addConnection(command), 'review . --base main --format sarif --output review.sarif')
}

const addAgents = (program: Command): void => {
  const agents = program.command('agents').description('discover agents')
  const list = agents
    .command('list')
    .description('list agents, newest first')
    .option('--capability <name>', 'only agents that offer it')
    .option('--type <type>', 'only agents of this type')
    .option('--state <state>', 'only agents in this state')
    .option('--label <key:value>', 'only agents with this label; repeatable', collect)
    .option('-q, --query <text>', 'only agents whose name, type, description or capabilities contain it')
    .option('--limit <n>', 'at most so many', whole(1, 200), 50)
    .action(async (options) => (await import('./commands/agents.ts')).listAgents(await clientOf(options), options))
  example(addConnection(list), 'agents list --capability code.review')
  const get = agents
    .command('get')
    .description('show an agent')
    .argument('<agent>', 'name or id')
    .action(async (agent: string, options) =>
      (await import('./commands/agents.ts')).getAgent(await clientOf(options), agent, options),
    )
  example(addConnection(get), 'agents get code-reviewer')
}

const addTasks = (program: Command): void => {
  const tasks = program.command('tasks').description('submit and follow tasks')
  const submit = tasks
    .command('submit')
    .description('submit a task')
    .option('--capability <name>', 'what is to be done; whoever offers it does it')
    .option('--agent <agent>', 'who is to do it: name or id')
    .option('--input <json>', 'the input: JSON, @file, or - for standard input')
    .option(
      '--repository <place>',
      'put a repository into the input: a path (bundled and uploaded) or an https address',
    )
    .addOption(new Option('--priority <priority>', 'lane of the queue').choices(['low', 'normal', 'high', 'urgent']))
    .option('--label <key:value>', 'label the task; repeatable', collect)
    .option('--timeout <seconds>', 'seconds an attempt may take', whole(1, 604_800))
    .option('--idempotency-key <key>', 'the same key and input give the same task')
    .option('--wait', 'wait for the end and print the result')
    .option('--follow', 'print events until the end')
    .action(async (options) => (await import('./commands/tasks.ts')).submitTask(await clientOf(options), options))
  example(addConnection(submit), 'tasks submit --capability code.review --repository . --wait')
  const list = tasks
    .command('list')
    .description('list tasks, newest first')
    .option('--status <status>', 'only tasks in this state')
    .option('--agent <agent>', 'only tasks of this agent')
    .option('--capability <name>', 'only tasks of this capability')
    .option('--label <key:value>', 'only tasks with this label; repeatable', collect)
    .option('--limit <n>', 'at most so many', whole(1, 200), 20)
    .action(async (options) => (await import('./commands/tasks.ts')).listTasks(await clientOf(options), options))
  example(addConnection(list), 'tasks list --status RUNNING')
  const one = (name: 'get' | 'result' | 'events' | 'attempts' | 'cancel', description: string): Command =>
    addConnection(
      tasks
        .command(name)
        .description(description)
        .argument('<task>', 'id of the task')
        .action(async (task: string, options) =>
          (await import('./commands/tasks.ts'))[`${name}Task`](await clientOf(options), task, options),
        ),
    )
  const id = 'tsk_01KB2V7Q5W8S5ZK3M9N1P4R6T8'
  example(one('get', 'show a task'), `tasks get ${id}`)
  example(one('result', 'print the result as the agent gave it'), `tasks result ${id} > result.json`)
  example(one('events', 'print the events').option('--follow', 'go on until the end'), `tasks events ${id} --follow`)
  example(one('attempts', 'list the attempts'), `tasks attempts ${id}`)
  example(one('cancel', 'cancel a task that has not ended'), `tasks cancel ${id}`)
}

const addObjects = (program: Command): void => {
  const objects = program.command('objects').description('large payloads by reference')
  const put = objects
    .command('put')
    .description('upload a file')
    .argument('<file>', 'path of the file')
    .option('--content-type <type>', 'media type', 'application/octet-stream')
    .action(async (file: string, options) =>
      (await import('./commands/objects.ts')).putObject(await clientOf(options), file, options),
    )
  example(addConnection(put), 'objects put report.pdf --content-type application/pdf')
  const get = objects
    .command('get')
    .description('download an object')
    .argument('<object>', 'id of the object')
    .option('--output <file>', 'write to a file instead of standard output')
    .action(async (id: string, options) =>
      (await import('./commands/objects.ts')).getObject(await clientOf(options), id, options),
    )
  example(addConnection(get), 'objects get obj_01KB2V7Q5W8S5ZK3M9N1P4R6T8 --output report.pdf')
}

const addBootstrap = (program: Command): void => {
  const command = program
    .command('bootstrap')
    .description('make the first admin key of a deployment on AWS; it is printed once')
    .addOption(new Option('--stage <stage>', 'which deployment').choices(['dev', 'staging', 'prod']).default('dev'))
    .option('--function <name>', 'name or ARN of the bootstrap function (default: the one of the stage)')
    .option('--json', 'print {apiKey}')
    .action(async (options) => (await import('./commands/bootstrap.ts')).bootstrap(options))
  example(command, 'bootstrap --stage dev')
}

const addCompletion = (program: Command): void => {
  const command = program
    .command('completion')
    .description('print a completion script for a shell')
    .argument('<shell>', 'bash or zsh')
    .action(async (shell: string) => (await import('./commands/completion.ts')).completion(program, shell))
  example(command, 'completion bash > ~/.local/share/bash-completion/completions/devcycle')
}
