import type { Command } from 'commander'
import type { Client } from '../client/client.ts'
import { addConnection, type Connection, clientOf, collect, example, whole } from './options.ts'

const someId = 'whk_01KB2V7Q5W8S5ZK3M9N1P4R6T8'
const someDelivery = 'dlv_01KB2V7Q5W8S5ZK3M9N1P4R6T9'
const commands = () => import('../commands/webhooks.ts')

export const addWebhooks = (program: Command): void => {
  const webhooks = program.command('webhooks').description('tell other systems what happens')
  example(webhooks, 'webhooks create https://example.com/hook --event task.failed', `webhooks deliveries ${someId}`)
  addCreate(webhooks)
  addList(webhooks)
  addOne(webhooks, ['get', 'show a webhook'], async () => (await commands()).getWebhook)
  addOne(webhooks, ['enable', 'deliver to it again, if it was disabled'], async () => (await commands()).enableWebhook)
  addOne(
    webhooks,
    ['disable', 'deliver nothing to it until it is enabled'],
    async () => (await commands()).disableWebhook,
  )
  addOne(
    webhooks,
    ['rotate-secret', 'give it a new secret and print that; the one before signs as well for a day'],
    async () => (await commands()).rotateSecret,
  )
  addOne(
    webhooks,
    ['delete', 'delete a webhook; what was on its way to it is not sent any more'],
    async () => (await commands()).deleteWebhook,
  )
  addDeliveries(webhooks)
  addRedeliver(webhooks)
}

const addCreate = (webhooks: Command): void => {
  const create = webhooks
    .command('create')
    .description('make a webhook, and print its id and its secret, which is told here alone')
    .argument('<url>', 'where events are posted to')
    .option('--event <type>', 'only events such as task.failed or task.*; repeatable', collect)
    .option('--capability <name>', 'only of tasks of this capability; message:TYPE: those that handle messages')
    .option('--label <key:value>', 'only of tasks with this label; repeatable', collect)
    .option('--description <text>', 'what it is for')
    .option('--idempotency-key <key>', 'the same key with the same options gives the same webhook')
    .action(async (url: string, options) => (await commands()).createWebhook(await clientOf(options), url, options))
  example(addConnection(create), 'webhooks create https://example.com/hook --event task.failed --event task.cancelled')
}

const addPaging = (command: Command): Command =>
  addConnection(
    command
      .option('--limit <n>', 'at most so many', whole(1, 200), 20)
      .option('--cursor <cursor>', 'go on where a list ended'),
  )

const addList = (webhooks: Command): void => {
  const list = addPaging(webhooks.command('list').description('list webhooks, newest first')).action(async (options) =>
    (await commands()).listWebhooks(await clientOf(options), options),
  )
  example(list, 'webhooks list')
}

const addDeliveries = (webhooks: Command): void => {
  const about = 'list what was sent to a webhook, or to the callback of a task, newest first'
  const deliveries = addPaging(webhooks.command('deliveries').description(about))
    .argument('<webhook>', 'id of the webhook, or of the task')
    .action(async (webhook: string, options) =>
      (await commands()).listDeliveries(await clientOf(options), webhook, options),
    )
  example(deliveries, `webhooks deliveries ${someId}`)
}

const addRedeliver = (webhooks: Command): void => {
  const redeliver = addConnection(webhooks.command('redeliver').description('send a delivery once more, now'))
    .argument('<webhook>', 'id of the webhook, or of the task')
    .argument('<delivery>', 'id of the delivery')
    .action(async (webhook: string, delivery: string, options) =>
      (await commands()).redeliver(await clientOf(options), [webhook, delivery], options),
    )
  example(redeliver, `webhooks redeliver ${someId} ${someDelivery}`)
}

const addOne = (
  webhooks: Command,
  [name, description]: [name: string, description: string],
  load: () => Promise<(client: Client, webhook: string, options: Connection) => Promise<void>>,
): void => {
  const command = addConnection(webhooks.command(name).description(description))
    .argument('<webhook>', 'id of the webhook')
    .action(async (webhook: string, options: Connection) => (await load())(await clientOf(options), webhook, options))
  example(command, `webhooks ${name} ${someId}`)
}
