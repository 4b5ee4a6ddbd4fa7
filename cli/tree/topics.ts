import { type Command, Option } from 'commander'
import type { Client } from '../client/client.ts'
import { addConnection, type Connection, clientOf, collect, example, timeOrWhile, whole } from './options.ts'
import { parseEvery } from './schedules.ts'

const someId = 'sub_01KB2V7Q5W8S5ZK3M9N1P4R6T8'
const subscriptionCommands = () => import('../commands/subscriptions.ts')
const hookCommands = () => import('../commands/hooks.ts')

type Act = (client: Client, name: string, options: Connection) => Promise<void>

const addOne = (
  parent: Command,
  [name, description, argument, about]: [name: string, description: string, argument: string, about: string],
  load: () => Promise<Act>,
): Command =>
  addConnection(parent.command(name).description(description))
    .argument(`<${argument}>`, about)
    .action(async (one: string, options: Connection) => (await load())(await clientOf(options), one, options))

const addPaging = (command: Command): Command =>
  addConnection(
    command
      .option('--limit <n>', 'at most so many', whole(1, 200), 20)
      .option('--cursor <cursor>', 'go on where a list ended'),
  )

export const addSubscriptions = (program: Command): void => {
  const subscriptions = program.command('subscriptions').description('say who gets which messages of topics')
  example(
    subscriptions,
    'subscriptions create "builds.*" --capability code.review',
    `subscriptions replay ${someId} --last 2h`,
  )
  addCreate(subscriptions)
  const list = addPaging(subscriptions.command('list').description('list subscriptions, newest first')).action(
    async (options) => (await subscriptionCommands()).listSubscriptions(await clientOf(options), options),
  )
  example(list, 'subscriptions list')
  const about = 'id of the subscription'
  const get = addOne(subscriptions, ['get', 'show a subscription', 'subscription', about], async () => {
    return (await subscriptionCommands()).getSubscription
  })
  example(get, `subscriptions get ${someId}`)
  const remove = addOne(
    subscriptions,
    ['delete', 'delete a subscription; what it could not deliver yet is given up', 'subscription', about],
    async () => (await subscriptionCommands()).deleteSubscription,
  )
  example(remove, `subscriptions delete ${someId}`)
  addMatches(subscriptions)
  const redrive = addOne(
    subscriptions,
    ['redrive', 'try its dead letters again, the newest 200', 'subscription', about],
    async () => (await subscriptionCommands()).redriveMatches,
  )
  example(redrive, `subscriptions redrive ${someId}`)
  addReplay(subscriptions)
}

const addCreate = (subscriptions: Command): void => {
  const create = subscriptions
    .command('create')
    .description('make a subscription, and print its id; name one target')
    .argument('<topic>', 'a topic, or the beginning of names followed by *')
    .option('--pattern <json>', 'event pattern of EventBridge: JSON, @file, or - for standard input')
    .option('--capability <name>', 'target: each match becomes a task of it')
    .option('--workflow <name>', 'target: each match starts a run of it')
    .option('--workflow-version <version>', 'of --workflow: number of a version, or an alias')
    .addOption(
      new Option('--input <what>', 'what the task gets: the data of the message, or all of it; default: data').choices([
        'data',
        'event',
      ]),
    )
    .addOption(new Option('--priority <priority>', 'lane of the tasks').choices(['low', 'normal', 'high', 'urgent']))
    .option('--label <key:value>', 'label the tasks; repeatable', collect)
    .option('--webhook <webhook>', 'target: id of a webhook')
    .option('--agent <agent>', 'target: the mailbox of an agent')
    .option('--queue <queue>', 'target: name of a queue')
    .option('--to-topic <topic>', 'target: each match is published there')
    .option('--bus', 'target: the event bus of the host')
    .option('--socket', 'target: whoever watches subscription/ID')
    .option('--description <text>', 'what it is for')
    .option('--idempotency-key <key>', 'the same key with the same options gives the same subscription')
    .action(async (topic: string, options) =>
      (await subscriptionCommands()).createSubscription(await clientOf(options), topic, options),
    )
  example(
    addConnection(create),
    `subscriptions create builds --pattern '{"data":{"ok":[false]}}' --capability code.review`,
    'subscriptions create "orders.*" --bus',
  )
}

const addMatches = (subscriptions: Command): void => {
  const matches = addPaging(subscriptions.command('matches').description('list what it matched, newest first'))
    .argument('<subscription>', 'id of the subscription')
    .option('--dead', 'its dead letters alone')
    .action(async (id: string, options) =>
      (await subscriptionCommands()).listMatches(await clientOf(options), id, options),
    )
  example(matches, `subscriptions matches ${someId} --dead`)
}

const addReplay = (subscriptions: Command): void => {
  const replay = addConnection(
    subscriptions.command('replay').description('give it messages of the last day again, and print how many'),
  )
    .argument('<subscription>', 'id of the subscription')
    .addOption(new Option('--from <time>', 'messages from this time on: 2026-01-31T12:00:00Z').argParser(timeOrWhile))
    .addOption(
      new Option('--last <time>', 'messages of the last 90s, 5m, 2h; default: 1d')
        .argParser(parseEvery)
        .conflicts('from'),
    )
    .option('--idempotency-key <key>', 'the same key with the same options gives the same replay')
    .action(async (id: string, options) => (await subscriptionCommands()).replay(await clientOf(options), id, options))
  example(
    replay,
    `subscriptions replay ${someId} --last 2h`,
    `subscriptions replay ${someId} --from 2026-01-31T12:00:00Z`,
  )
}

export const addHooks = (program: Command): void => {
  const hooks = program.command('hooks').description('take signed webhooks of other systems as messages on topics')
  example(hooks, 'hooks create github --scheme github --topic github', 'hooks list')
  const create = hooks
    .command('create')
    .description('make a hook, and print its path and its secret, which is told here alone')
    .argument('<name>', 'the end of its address')
    .addOption(
      new Option('--scheme <scheme>', 'how requests are signed')
        .choices(['standard-webhooks', 'github'])
        .default('standard-webhooks'),
    )
    .requiredOption('--topic <topic>', 'what is posted becomes messages on it')
    .option('--secret <secret>', 'one that the other system chose; default: a new one')
    .option('--description <text>', 'what it is for')
    .option('--idempotency-key <key>', 'the same key with the same options gives the same hook')
    .action(async (name: string, options) => (await hookCommands()).createHook(await clientOf(options), name, options))
  example(addConnection(create), 'hooks create github --scheme github --topic github')
  const list = addPaging(hooks.command('list').description('list hooks, newest first')).action(async (options) =>
    (await hookCommands()).listHooks(await clientOf(options), options),
  )
  example(list, 'hooks list')
  const about = 'name of the hook'
  example(
    addOne(hooks, ['get', 'show a hook', 'hook', about], async () => (await hookCommands()).getHook),
    'hooks get github',
  )
  const rotate = addOne(
    hooks,
    ['rotate-secret', 'give it a new secret and print that; the one before is good for a day more', 'hook', about],
    async () => (await hookCommands()).rotateHook,
  )
  example(rotate, 'hooks rotate-secret github')
  example(
    addOne(hooks, ['delete', 'delete a hook; its name is free', 'hook', about], async () => {
      return (await hookCommands()).deleteHook
    }),
    'hooks delete github',
  )
}
