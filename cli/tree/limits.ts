import { type Command, InvalidArgumentError, Option } from 'commander'
import { addConnection, clientOf, example, whole } from './options.ts'

const commands = () => import('../commands/limits.ts')
const none = 'none' // which commander would take for no value at all, were it `null`

/** A number from 1, or `none`. */
const places = (text: string): number | 'none' => (text === none ? none : whole(1, 1_000_000)(text))

/** `100/60`: so many in so many seconds; or `none`. */
export const parseRate = (text: string): { count: number; seconds: number } | 'none' => {
  if (text === none) return none
  const [, count, seconds] = /^(\d{1,7})\/(\d{1,5}(?:\.\d+)?)$/.exec(text) ?? []
  if (count === undefined || Number(count) < 1 || Number(seconds) < 0.1)
    throw new InvalidArgumentError('expected COUNT/SECONDS such as 100/60, or none')
  return { count: Number(count), seconds: Number(seconds) }
}

const price = (text: string): number | 'none' => {
  if (text === none) return none
  if (!/^\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError('expected US dollars such as 0.05, or none')
  return Number(text)
}

export const addLimits = (program: Command): void => {
  const limits = program.command('limits').description('how many tasks may run and start')
  example(limits, 'limits get', 'limits set key:acme --concurrency 5')
  const get = limits
    .command('get')
    .description('show the limits and what is used of them')
    .action(async (options) => (await commands()).getLimits(await clientOf(options), options))
  example(addConnection(get), 'limits get')
  addSet(limits)
}

const addSet = (limits: Command): void => {
  const set = limits
    .command('set')
    .description('change one limit; what is not named stays, "none" removes')
    .argument('<what>', 'tenant, agent:NAME, key:KEY, default-key, submit, or price:CLASS')
    .option('--concurrency <n>', 'so many at once', places)
    .option('--rate <count/seconds>', 'so many starts (or submits) in so many seconds', parseRate)
    .option('--per-hour <dollars>', 'of price:CLASS: what an hour of an attempt costs', price)
    .action(async (what: string, options) => (await commands()).setLimit(await clientOf(options), what, options))
  example(
    addConnection(set),
    'limits set tenant --concurrency 100',
    'limits set agent:code-reviewer --rate 30/60',
    'limits set key:acme --concurrency none',
    'limits set price:default --per-hour 0.05',
  )
}

export const addUsage = (program: Command): void => {
  const usage = program
    .command('usage')
    .description('what tasks used: attempts, seconds, tokens, dollars')
    .addOption(new Option('--by <what>', 'a row for each').choices(['tenant', 'agent', 'day', 'task']).default('day'))
    .option('--since <day>', 'from this UTC day on, such as 2026-01-31; default: 29 days before the last one')
    .option('--until <day>', 'to this day; default: today')
    .option('--limit <n>', 'of tasks: at most so many', whole(1, 200), 50)
    .option('--cursor <cursor>', 'of tasks: go on where a list ended')
    .action(async (options) => (await import('../commands/usage.ts')).showUsage(await clientOf(options), options))
  example(addConnection(usage), 'usage --by agent', 'usage --by day --since 2026-01-01 --until 2026-01-31')
}
