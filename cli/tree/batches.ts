import { type Command, Option } from 'commander'
import type { Client } from '../client/client.ts'
import { addConnection, type Connection, clientOf, collect, example, whole } from './options.ts'

const someId = 'bat_01KB2V7Q5W8S5ZK3M9N1P4R6T8'

export const addBatches = (program: Command): void => {
  const batches = program.command('batches').description('many tasks from the lines of a file')
  example(batches, 'batches submit rows.jsonl --capability text.upper --follow', `batches report ${someId}`)
  addSubmit(batches)
  addList(batches)
  addOne(
    batches,
    ['get', 'show a batch and how far it is'],
    async () => (await import('../commands/batches.ts')).getBatch,
  )
  addOne(
    batches,
    ['cancel', 'cancel a batch and its tasks'],
    async () => (await import('../commands/batches.ts')).cancelBatch,
  )
  addOne(
    batches,
    ['report', 'print the rows that did not succeed, as JSON lines'],
    async () => (await import('../commands/batches.ts')).reportBatch,
  )
}

const addSubmit = (batches: Command): void => {
  const submit = batches
    .command('submit')
    .description('submit a task for each line of a file, and print the id of the batch')
    .argument(
      '<file>',
      'path of a file of JSON lines, - for standard input; each is an input, or a whole body without --capability and --agent',
    )
    .option('--capability <name>', 'what is to be done with each row')
    .option('--agent <agent>', 'who is to do it: name or id')
    .addOption(
      new Option('--priority <priority>', 'which lane of the queue').choices(['low', 'normal', 'high', 'urgent']),
    )
    .option('--label <key:value>', 'label the tasks; repeatable', collect)
    .option(
      '--timeout <seconds>',
      'seconds that an attempt may take; default: what its agent says, else 3600',
      whole(1, 604_800),
    )
    .option('--name <name>', 'name of the batch')
    .option('--max-in-flight <n>', 'so many tasks wait and run at a time; default: 1000', whole(1, 10_000))
    .option('--max-failures <n>', 'end it when more rows fail; default: any number may', whole(0, 1_000_000_000))
    .option('--idempotency-key <key>', 'the same key with the same file gives the same batch')
    .option('--follow', 'show how far it is until the end; the exit code is 5 when a row did not succeed')
    .action(async (file: string, options) =>
      (await import('../commands/submit-batch.ts')).submitBatch(await clientOf(options), file, options),
    )
  example(addConnection(submit), 'batches submit rows.jsonl --capability text.upper --follow')
}

const addList = (batches: Command): void => {
  const list = batches
    .command('list')
    .description('list batches, newest first')
    .option('--limit <n>', 'at most so many', whole(1, 200), 20)
    .option('--cursor <cursor>', 'go on where a list ended')
    .action(async (options) => (await import('../commands/batches.ts')).listBatches(await clientOf(options), options))
  example(addConnection(list), 'batches list')
}

const addOne = (
  batches: Command,
  [name, description]: [name: string, description: string],
  load: () => Promise<(client: Client, batch: string, options: Connection) => Promise<void>>,
): void => {
  const command = addConnection(batches.command(name).description(description))
    .argument('<batch>', 'id of the batch')
    .action(async (batch: string, options: Connection) => (await load())(await clientOf(options), batch, options))
  example(command, `batches ${name} ${someId}`)
}
