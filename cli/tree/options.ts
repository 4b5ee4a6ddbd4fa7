import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Client } from '../client/client.ts'

/** Parses a whole number within bounds. */
export const whole =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}`)
    return value
  }

/** Parses a number above 0. */
export const amount = (text: string): number => {
  const value = Number(text)
  if (!/^\d+(\.\d+)?$/.test(text) || value === 0) throw new InvalidArgumentError('expected a number above 0')
  return value
}

const unitMs: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A time as the API takes it, from an ISO time or a while from now. */
export const timeOrWhile = (text: string): string => {
  const [, count, unit = ''] = /^\+(\d{1,6})([smhd])$/.exec(text) ?? []
  const time = count === undefined ? Date.parse(text) : Date.now() + Number(count) * (unitMs[unit] ?? 0)
  if (Number.isNaN(time) || (count === undefined && !/^\d{4}-\d\d-\d\dT/.test(text)))
    throw new InvalidArgumentError(
      'expected a time such as 2030-01-31T12:00:00Z, or a while such as +90s, +10m, +2h, +1d',
    )
  return new Date(time).toISOString()
}

/** Gathers the values of a repeatable option. */
export const collect = (text: string, all: string[] = []): string[] => [...all, text]

export const env = (flags: string, description: string, name: string): Option =>
  new Option(flags, description).env(name)

/** A `--no-…` flag that a variable sets too, unless that is empty, `0` or `false`. */
export const unless = (flags: string, description: string, name: string): Option => {
  const isSet = !['', '0', 'false'].includes((process.env[name] ?? '').toLowerCase())
  return new Option(flags, `${description} (env: ${name})`).default(!isSet)
}

/** One of some words, in whatever case. */
export const oneOf = (flags: string, description: string, words: readonly string[]): Option =>
  new Option(flags, description).choices(words).argParser((text: string) => {
    const found = words.find((word) => word.toLowerCase() === text.toLowerCase())
    if (found === undefined) throw new InvalidArgumentError(`Allowed choices are ${words.join(', ')}.`)
    return found
  })

/** The same, repeatable. */
export const someOf = (flags: string, description: string, words: readonly string[]): Option =>
  new Option(flags, description).choices(words).argParser((text: string, all: string[] = []) => {
    if (words.includes(text)) return [...all, text]
    throw new InvalidArgumentError(`Allowed choices are ${words.join(', ')}.`)
  })

const isFrom = (command: Command, source: 'cli' | 'env', name: string): boolean =>
  command.getOptionValueSource(name) === source

/** A data folder that is named on the command line is not overruled by variables, which may be another server's. */
const preferGiven = (command: Command): void => {
  if (!isFrom(command, 'cli', 'data') || isFrom(command, 'cli', 'url')) return
  for (const name of ['url', 'apiKey']) if (isFrom(command, 'env', name)) command.setOptionValue(name, undefined)
}

/** Options of every command that talks to a server. */
export const addConnection = (command: Command): Command =>
  command
    .hook('preAction', (_, action) => preferGiven(action))
    .addOption(env('--url <url>', 'server to talk to; default: the one of the data folder', 'DEVCYCLE_URL'))
    .addOption(env('--api-key <key>', 'API key; default: the one in the data folder', 'DEVCYCLE_API_KEY'))
    .addOption(
      env(
        '--data <dir>',
        'data folder of a server on this machine; given here it wins over DEVCYCLE_URL',
        'DEVCYCLE_DATA',
      ).default('.devcycle'),
    )
    .option('--json', "print the API's own JSON")

export type Connection = { url?: string; apiKey?: string; data?: string; json?: boolean }

export const clientOf = async (options: Connection): Promise<Client> =>
  (await import('../client/connect.ts')).connect(options)

export const example = (command: Command, ...lines: string[]): Command =>
  command.addHelpText(
    'after',
    `\n${lines.length > 1 ? 'Examples' : 'Example'}:\n${lines.map((line) => `  $ devcycle ${line}`).join('\n')}`,
  )
