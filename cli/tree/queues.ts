import type { Command } from 'commander'
import { addConnection, clientOf, example, whole } from './options.ts'

const commands = () => import('../commands/queues.ts')
const receipt = 'ltr_01KB2V7Q5W8S5ZK3M9N1P4R6T8.01KB2V7Q5W8S5ZK3M9N1P4R6T9'

const addPaging = (command: Command): Command =>
  addConnection(
    command
      .option('--limit <n>', 'at most so many', whole(1, 200), 20)
      .option('--cursor <cursor>', 'go on where a list ended'),
  )

/** A command about one queue. */
const ofQueue = (queues: Command, name: string, description: string): Command =>
  addConnection(queues.command(name).description(description)).argument('<queue>', 'name of the queue')

export const addQueues = (program: Command): void => {
  const queues = program.command('queues').description('hand each message to one of several receivers')
  example(queues, 'queues create reviews', `queues send reviews '{"change": 7}'`, 'queues receive reviews --wait 20')
  addCreate(queues)
  const list = addPaging(queues.command('list').description('list queues, newest first')).action(async (options) =>
    (await commands()).listQueues(await clientOf(options), options),
  )
  example(list, 'queues list')
  const get = ofQueue(queues, 'get', 'show a queue: what waits, is with a receiver, is dead').action(
    async (name: string, options) => (await commands()).getQueue(await clientOf(options), name, options),
  )
  example(get, 'queues get reviews')
  addMessages(queues)
  addDead(queues)
  const remove = ofQueue(queues, 'delete', 'delete a queue; what waits in it is not handed out any more').action(
    async (name: string, options) => (await commands()).deleteQueue(await clientOf(options), name, options),
  )
  example(remove, 'queues delete reviews')
}

const addCreate = (queues: Command): void => {
  const create = ofQueue(queues, 'create', 'make a queue')
    .option('--visibility <seconds>', 'seconds that a received message is kept from others', whole(1, 43_200), 30)
    .option('--max-receives <n>', 'receives without an acknowledgement before it is a dead letter', whole(1, 1000), 5)
    .option('--description <text>', 'what it is for')
    .action(async (name: string, options) => (await commands()).createQueue(await clientOf(options), name, options))
  example(create, 'queues create reviews --visibility 300')
}

const addMessages = (queues: Command): void => {
  const send = ofQueue(queues, 'send', 'send a message, and print its id')
    .argument('[data]', 'the data of the message: JSON, @file, or - for standard input')
    .option('--type <type>', 'what happened or is to be done', 'work')
    .option('--subject <subject>', 'what it is about')
    .option('--idempotency-key <key>', 'the same key with the same options is the same message')
    .action(async (name: string, data: string | undefined, options) =>
      (await commands()).sendToQueue(await clientOf(options), name, { ...options, data }),
    )
  example(send, `queues send reviews '{"change": 7}' --type change.ready`)
  const receive = ofQueue(queues, 'receive', 'receive messages: receipt, type and data, one a line')
    .option('--max <n>', 'at most so many', whole(1, 100), 1)
    .option('--wait <seconds>', 'seconds to wait for the first one', whole(0, 25), 0)
    .option(
      '--visibility <seconds>',
      'seconds that they are kept from others; default: those of the queue',
      whole(1, 43_200),
    )
    .option('--ack', 'acknowledge them at once')
    .action(async (name: string, options) => (await commands()).receive(await clientOf(options), name, options))
  example(receive, 'queues receive reviews --max 10 --wait 20')
  const ack = ofQueue(queues, 'ack', 'acknowledge what was received: it is done')
    .argument('<receipts...>', 'receipts')
    .action(async (name: string, receipts: string[], options) =>
      (await commands()).acknowledge(await clientOf(options), name, { ...options, receipts }),
    )
  example(ack, `queues ack reviews ${receipt}`)
  const extend = ofQueue(queues, 'extend', 'keep what was received from others for longer, or give it back with 0')
    .argument('<seconds>', 'seconds from now on', whole(0, 43_200))
    .argument('<receipts...>', 'receipts')
    .action(async (name: string, seconds: number, receipts: string[], options) =>
      (await commands()).extend(await clientOf(options), name, { ...options, seconds, receipts }),
    )
  example(extend, `queues extend reviews 300 ${receipt}`)
}

const addDead = (queues: Command): void => {
  const dead = addPaging(queues.command('dead-letters').description('list its dead letters with their reasons'))
    .argument('<queue>', 'name of the queue')
    .action(async (name: string, options) => (await commands()).listDeadLetters(await clientOf(options), name, options))
  example(dead, 'queues dead-letters reviews')
  const redrive = ofQueue(queues, 'redrive', 'put its dead letters back, the newest first')
    .option('--limit <n>', 'at most so many', whole(1, 200), 200)
    .action(async (name: string, options) => (await commands()).redriveQueue(await clientOf(options), name, options))
  example(redrive, 'queues redrive reviews')
}
