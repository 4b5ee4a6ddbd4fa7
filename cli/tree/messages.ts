import { type Command, Option } from 'commander'
import { addConnection, clientOf, collect, example, timeOrWhile, whole } from './options.ts'

const someId = 'msg_01KB2V7Q5W8S5ZK3M9N1P4R6T8'
const messageCommands = () => import('../commands/messages.ts')
const mailboxCommands = () => import('../commands/mailboxes.ts')

const addContent = (command: Command): Command =>
  addConnection(
    command
      .option('--body <json>', 'data: JSON, @file, or - for standard input')
      .option('--subject <text>', 'what it is about')
      .option('--conversation <name>', 'messages of one conversation are received in order')
      .addOption(
        new Option('--expires <time>', 'when it is over: a time, or +10m, +2h; default: +7d').argParser(timeOrWhile),
      )
      .option('--idempotency-key <key>', 'the same key with the same options is the same message'),
  )

const addPaging = (command: Command): Command =>
  addConnection(
    command
      .option('--limit <n>', 'at most so many', whole(1, 200), 20)
      .option('--cursor <cursor>', 'go on where a list ended'),
  )

const addFilter = (command: Command): Command =>
  command
    .addOption(
      new Option('--kind <kind>', 'of this kind').choices(['event', 'request', 'response', 'broadcast', 'workflow']),
    )
    .option('--type <type>', 'of this type')
    .option('--conversation <name>', 'of this conversation')

export const addMessages = (program: Command): void => {
  const messages = program.command('messages').description('send messages to agents, topics and queues')
  example(messages, `messages send upper note.left --body '{"text":"hello"}'`, `messages show ${someId}`)
  addSending(messages)
  const list = addPaging(addFilter(messages.command('list').description('list messages, newest first'))).action(
    async (options) => (await messageCommands()).listMessages(await clientOf(options), options),
  )
  example(list, 'messages list --kind request')
  const show = addConnection(messages.command('show').description('show a message, and where it is'))
    .argument('<message>', 'id of the message')
    .action(async (id: string, options) => (await messageCommands()).showMessage(await clientOf(options), id, options))
  example(show, `messages show ${someId}`)
  const tail = addConnection(addFilter(messages.command('tail').description('print messages as they are sent'))).action(
    async (options) => (await import('../commands/tail-messages.ts')).tailMessages(await clientOf(options), options),
  )
  example(tail, 'messages tail --type build.finished')
}

const addSending = (messages: Command): void => {
  const send = addContent(messages.command('send').description('send a message, and print its id'))
    .argument('<to>', 'name of the agent')
    .argument('<type>', 'what happened: build.finished')
    .option('--capability', 'to an agent that offers the capability of that name')
    .option('--queue', 'to the queue of that name')
    .action(async (to: string, type: string, options) =>
      (await messageCommands()).sendMessage(await clientOf(options), to, type, options),
    )
  example(send, `messages send upper note.left --body '{"text":"hello"}'`)
  const request = addContent(messages.command('request').description('send a request, and print its response'))
    .argument('<to>', 'name of the agent')
    .argument('<type>', 'what is wanted')
    .option('--capability', 'to an agent that offers the capability of that name')
    .option('--reply-to <agent>', 'whose mailbox gets the response as well')
    .option('--wait <seconds>', 'how long to wait for the response', whole(0, 25), 20)
    .action(async (to: string, type: string, options) =>
      (await messageCommands()).requestMessage(await clientOf(options), to, type, options),
    )
  example(request, `messages request upper letter.shout --body '{"text":"hello"}'`)
  const publish = addContent(
    messages.command('publish').description('send a message to those who subscribe to a topic'),
  )
    .argument('<topic>', 'name of the topic')
    .argument('<type>', 'what happened')
    .action(async (topic: string, type: string, options) =>
      (await messageCommands()).publishMessage(await clientOf(options), topic, type, options),
    )
  example(publish, 'messages publish builds build.finished')
  const broadcast = addContent(messages.command('broadcast').description('send a message to many agents'))
    .argument('<type>', 'what happened')
    .option('--agent-type <type>', 'agents of this type; repeatable', collect)
    .option('--label <key:value>', 'agents with this label; repeatable', collect)
    .option('--capability <name>', 'agents that offer it')
    .action(async (type: string, options) =>
      (await messageCommands()).broadcastMessage(await clientOf(options), type, options),
    )
  example(broadcast, 'messages broadcast freeze.begins --label team:blue')
}

export const addMailbox = (program: Command): void => {
  const mailbox = program.command('mailbox').description('see and settle what waits in the mailbox of an agent')
  example(mailbox, 'mailbox list upper', `mailbox ack upper ${someId}`)
  const list = addPaging(mailbox.command('list').description('list what waits, without taking it'))
    .argument('<agent>', 'name of the agent')
    .option('--take', 'receive it: nobody else gets it for 30 seconds')
    .action(async (agent: string, options) =>
      (await mailboxCommands()).listMail(await clientOf(options), agent, options),
    )
  example(list, 'mailbox list upper')
  const ack = addConnection(mailbox.command('ack').description('acknowledge messages: they never come again'))
    .argument('<agent>', 'name of the agent')
    .argument('[messages...]', 'ids of messages')
    .option('--up-to <position>', 'all that was received up to this position')
    .action(async (agent: string, ids: string[], options) =>
      (await mailboxCommands()).acknowledgeMail(await clientOf(options), agent, ids, options),
    )
  example(ack, `mailbox ack upper ${someId}`)
  const dead = addPaging(mailbox.command('dead-letters').description('list what nobody gets any more, and why'))
    .argument('<agent>', 'name of the agent')
    .action(async (agent: string, options) =>
      (await mailboxCommands()).listDeadMail(await clientOf(options), agent, options),
    )
  example(dead, 'mailbox dead-letters upper')
  const redrive = addConnection(
    mailbox.command('redrive').description('put dead letters back, the newest 50 or those named'),
  )
    .argument('<agent>', 'name of the agent')
    .argument('[messages...]', 'ids of messages')
    .action(async (agent: string, ids: string[], options) =>
      (await mailboxCommands()).redriveMail(await clientOf(options), agent, ids, options),
    )
  example(redrive, 'mailbox redrive upper')
}
