import { Argument, type Command, InvalidArgumentError } from 'commander'
import { addConnection, clientOf, example } from './options.ts'

const topics = ['tasks', 'agents', 'instances', 'approvals', 'runs', 'schedules', 'sent', 'presence']

const topicOf = (text: string): string => {
  if (topics.includes(text) || /^(topic|subscription)\/./.test(text)) return text
  throw new InvalidArgumentError(`expected ${topics.join(', ')}, topic/NAME, or subscription/ID`)
}

export const addWatch = (program: Command): void => {
  const watch = addConnection(program.command('watch').description('print what changes, as it changes, until Ctrl-C'))
    .addArgument(
      new Argument(
        '[topic]',
        `${topics.join(', ')}, topic/NAME or subscription/ID: messages on a topic, or that it matched`,
      )
        .argParser(topicOf)
        .default('tasks'),
    )
    .argument('[id]', 'one of them alone: an id, or the name of an agent')
    .action(async (topic: string, id: string | undefined, options) =>
      (await import('../commands/watch.ts')).watchTopic(await clientOf(options), { topic, id }, options),
    )
  example(watch, 'watch', 'watch agents', 'watch topic/builds', 'watch tasks tsk_01KB2V7Q5W8S5ZK3M9N1P4R6T8 --json')
}
