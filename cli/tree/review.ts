import { type Command, Option } from 'commander'
import type { ReviewOptions } from '../commands/review.ts'
import { addConnection, clientOf, example } from './options.ts'

const formats = ['table', 'json', 'sarif', 'markdown'] satisfies ReviewOptions['format'][]
const levels = ['error', 'warning', 'never'] satisfies ReviewOptions['failOn'][]

export const addReview = (program: Command): void => {
  const command = program
    .command('review')
    .description('review a repository as it is committed, or only what changed since --base')
    .argument('<repository>', 'path of a git repository or of a folder in it, or an https:// address[#ref]')
    .option('--base <ref>', 'only findings on lines that changed since this branch, tag or commit')
    .addOption(new Option('--format <format>', 'how to print the result').choices(formats).default('table'))
    .addOption(
      new Option('--fail-on <level>', 'exit 1 on findings from this level up').choices(levels).default('error'),
    )
    .option('--output <file>', 'write the result to a file instead of standard output')
    .action(async (repository: string, options) =>
      (await import('../commands/review.ts')).review(await clientOf(options), repository, options),
    )
  addConnection(command).addHelpText('after', exitCodesHelp)
  example(command, 'review . --base main', 'review . --format sarif --output review.sarif --fail-on never')
}

const exitCodesHelp = `
Exit codes:
  0 passed   1 findings   2 usage   3 not authenticated   4 not found
  5 the review failed   6 server unreachable`
