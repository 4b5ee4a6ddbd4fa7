import { type Command, Option } from 'commander'
import type { TaskResponse } from '#shared/contracts/tasks.ts'
import type { Client } from '../client/client.ts'
import { addControl } from './control.ts'
import {
  addConnection,
  amount,
  type Connection,
  clientOf,
  collect,
  example,
  oneOf,
  someOf,
  timeOrWhile,
  whole,
} from './options.ts'

const statuses = [
  'SCHEDULED',
  'QUEUED',
  'RUNNING',
  'WAITING',
  'SUCCEEDED',
  'FAILED',
  'CANCELLED',
] satisfies TaskResponse['status'][]
const ends = ['task.succeeded', 'task.failed', 'task.cancelled']
const priorities = ['low', 'normal', 'high', 'urgent'] satisfies TaskResponse['priority'][]
const someId = 'tsk_01KB2V7Q5W8S5ZK3M9N1P4R6T8'

export const addTasks = (program: Command): void => {
  const tasks = program.command('tasks').description('submit and follow tasks')
  example(tasks, 'tasks list', `tasks events ${someId} --follow`)
  addSubmit(tasks)
  addList(tasks)
  addGet(tasks)
  addResult(tasks)
  addEvents(tasks)
  addAttempts(tasks)
  addLedger(tasks)
  addChildren(tasks)
  addWhy(tasks)
  addCancel(tasks)
  addControl(tasks)
  addInput(tasks)
}

const addSubmit = (tasks: Command): void => {
  const submit = tasks
    .command('submit')
    .description('submit a task and print its id')
    .option('--capability <name>', 'what is to be done; whoever offers it does it')
    .option('--agent <agent>', 'who is to do it: name or id')
    .option('--input <json>', 'the input: JSON, @file, or - for standard input')
    .option(
      '--repository <place>',
      'put a repository into the input: a path (sent as it is committed) or https:// address',
    )
    .option('--base <ref>', 'put into the input what the repository is compared with')
    .addOption(
      new Option('--priority <priority>', 'which lane of the queue; default: what its agent says, else normal').choices(
        priorities,
      ),
    )
    .option('--label <key:value>', 'label the task; repeatable', collect)
    .option(
      '--timeout <seconds>',
      'seconds that an attempt may take; default: what its agent says, else 3600',
      whole(1, 604_800),
    )
    .option('--run-at <time>', 'not before: an ISO time, or a while from now such as +10m', timeOrWhile)
    .option('--deadline <time>', 'not after, in the same way; default: 24 hours from its start on', timeOrWhile)
    .option('--fairness-key <key>', 'whose turn it takes inside its lane')
    .option('--affinity-key <key>', 'tasks of one key run on one instance')
    .option('--require-label <key:value>', 'only where the agent or the instance has it; repeatable', collect)
    .option('--require-version <range>', 'only by a version in this range, such as ^1.2.0')
    .option('--resource-class <class>', 'only by an agent of this class')
    .option('--budget-money <dollars>', 'what it and everything below it may spend', amount)
    .option('--budget-tokens <n>', 'tokens that they may use', amount)
    .option('--budget-seconds <n>', 'seconds that their attempts may run', amount)
    .option('--budget-children <n>', 'how many tasks there may be below it', whole(0, 1_000_000))
    .option('--budget-depth <n>', 'how many levels there may be below it', whole(0, 20))
    .option('--callback <url>', 'address that is told of its end, by a webhook of this task alone')
    .addOption(someOf('--callback-event <type>', 'only of this end; repeatable', ends))
    .option('--shards <what>', 'divide it: 0..1000/50 (steps of 50), a JSON list of inputs, {"split": …}, @file or -')
    .option('--join <capability>', 'who joins the results of the shards; default: a list of them')
    .option(
      '--quorum <n>',
      'how many shards have to succeed: a share up to 1, or a number above it; default: all',
      amount,
    )
    .addOption(
      new Option(
        '--on-failure <what>',
        'when the quorum is out of reach: end it (default), or let every shard end',
      ).choices(['fail', 'continue']),
    )
    .option('--max-in-flight <n>', 'so many shards wait and run at a time; default: 1000', whole(1, 10_000))
    .option('--idempotency-key <key>', 'the same key with the same input gives the same task')
    .option('--wait', 'wait for the end and print the result')
    .option('--follow', 'print events until the end')
    .action(async (options) =>
      (await import('../commands/submit-task.ts')).submitTask(await clientOf(options), options),
    )
  addConnection(submit)
  example(
    submit,
    'tasks submit --capability code.review --repository . --wait',
    `tasks submit --agent my-agent --input '{"name": "Ada"}' --follow`,
    'tasks submit --capability text.count --shards 0..1000/50 --wait',
    'tasks submit --capability code.review --repository . --callback https://example.com/hook',
  )
}

const addList = (tasks: Command): void => {
  const list = tasks
    .command('list')
    .description('list tasks, newest first')
    .addOption(oneOf('--status <status>', 'only tasks in this state', statuses))
    .option('--agent <agent>', 'only tasks of this agent')
    .option('--capability <name>', 'only tasks of this capability; message:TYPE: those that handle messages')
    .addOption(new Option('--priority <priority>', 'only tasks of this lane').choices(priorities))
    .option('--label <key:value>', 'only tasks with this label; repeatable', collect)
    .option('--limit <n>', 'at most so many', whole(1, 200), 20)
    .option('--cursor <cursor>', 'go on where a list ended')
    .action(async (options) => (await import('../commands/list-tasks.ts')).listTasks(await clientOf(options), options))
  example(addConnection(list), 'tasks list --status running')
}

/** A command about one task, whose doing is loaded when it runs. */
const one = <O extends Connection>(
  tasks: Command,
  [name, description]: [name: string, description: string],
  load: () => Promise<(client: Client, task: string, options: O) => Promise<void>>,
): Command =>
  addConnection(tasks.command(name).description(description))
    .argument('<task>', 'id of the task')
    .action(async (task: string, options: O) => (await load())(await clientOf(options), task, options))

const addGet = (tasks: Command): void => {
  const get = one(tasks, ['get', 'show a task'], async () => (await import('../commands/task.ts')).getTask)
  example(get, `tasks get ${someId}`)
}

const addResult = (tasks: Command): void => {
  const about: [string, string] = ['result', 'print the result as the agent gave it']
  const result = one(tasks, about, async () => (await import('../commands/task.ts')).resultTask)
  example(result, `tasks result ${someId} > result.json`)
}

const addEvents = (tasks: Command): void => {
  const about: [string, string] = ['events', 'print the events of a task']
  const events = one<Connection & { after: number }>(
    tasks,
    about,
    async () => (await import('../commands/task-events.ts')).eventsTask,
  )
    .option('--follow', 'go on until the end; the exit code is 5 when the task did not succeed')
    .option('--after <seq>', 'only events after this number', whole(0, 1_000_000_000), 0)
  example(events, `tasks events ${someId} --follow`)
}

const addAttempts = (tasks: Command): void => {
  const about: [string, string] = ['attempts', 'list the attempts of a task']
  const attempts = one(tasks, about, async () => (await import('../commands/task.ts')).attemptsTask)
  example(attempts, `tasks attempts ${someId}`)
}

const addChildren = (tasks: Command): void => {
  const about: [string, string] = ['children', 'list the tasks that a task called, newest first']
  const children = one<Connection & { limit: number; cursor?: string }>(
    tasks,
    about,
    async () => (await import('../commands/list-tasks.ts')).listChildren,
  )
    .option('--limit <n>', 'at most so many', whole(1, 200), 20)
    .option('--cursor <cursor>', 'go on where a list ended')
  example(children, `tasks children ${someId}`)
}

const addLedger = (tasks: Command): void => {
  const about: [string, string] = ['usage', 'show what the attempts of a task used']
  const usage = one(tasks, about, async () => (await import('../commands/usage.ts')).usageOfTask)
  example(usage, `tasks usage ${someId}`)
}

const addWhy = (tasks: Command): void => {
  const about: [string, string] = ['why', 'explain why a task does not run, or how it ended']
  const why = one(tasks, about, async () => (await import('../commands/why.ts')).whyTask)
  example(why, `tasks why ${someId}`)
}

const addCancel = (tasks: Command): void => {
  const about: [string, string] = ['cancel', 'cancel a task that has not ended']
  const cancel = one(tasks, about, async () => (await import('../commands/task.ts')).cancelTask)
  example(cancel, `tasks cancel ${someId}`)
}

const addInput = (tasks: Command): void => {
  const about: [string, string] = ['input', 'answer a task that waits for input, or append to its input stream']
  const input = one(tasks, about, async () => (await import('../commands/input-task.ts')).inputTask)
    .option('--response <json>', 'the answer: JSON, @file, or - for standard input')
    .option('--records <file>', 'records of JSON, one a line; - for standard input')
    .option('--end', 'nothing follows')
  example(input, `tasks input ${someId} --response '"main"'`, `tasks input ${someId} --records rows.jsonl --end`)
}
