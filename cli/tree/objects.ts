import type { Command } from 'commander'
import { addConnection, clientOf, example } from './options.ts'

export const addObjects = (program: Command): void => {
  const objects = program.command('objects').description('large payloads by reference')
  example(objects, 'objects put report.pdf')
  const put = objects
    .command('put')
    .description('upload a file and print the id of its object')
    .argument('<file>', 'path of the file; - for standard input')
    .option('--content-type <type>', 'media type', 'application/octet-stream')
    .action(async (file: string, options) =>
      (await import('../commands/objects.ts')).putObject(await clientOf(options), file, options),
    )
  example(addConnection(put), 'objects put report.pdf --content-type application/pdf')
  const get = objects
    .command('get')
    .description('download an object')
    .argument('<object>', 'id of the object')
    .option('--output <file>', 'write to a file instead of standard output')
    .action(async (id: string, options) =>
      (await import('../commands/objects.ts')).getObject(await clientOf(options), id, options),
    )
  example(addConnection(get), 'objects get obj_01KB2V7Q5W8S5ZK3M9N1P4R6T8 --output report.pdf')
}
