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

/** Gathers the values of a repeatable option. */
export const collect = (text: string, all: string[] = []): string[] => [...all, text]

export const env = (flags: string, description: string, name: string): Option =>
  new Option(flags, description).env(name)

/** A `--no-…` flag that a variable sets too, unless that is empty, `0` or `false`. */
export const unless = (flags: string, description: string, name: string): Option => {
  const isSet = !['', '0', 'false'].includes((process.env[name] ?? '').toLowerCase())
  return new Option(`${flags}`, `${description} (env: ${name})`).default(!isSet)
}

/** One of some words, in whatever case. */
export const oneOf = (flags: string, description: string, words: readonly string[]): Option =>
  new Option(flags, description).choices(words).argParser((text: string) => {
    const found = words.find((word) => word.toLowerCase() === text.toLowerCase())
    if (found === undefined) throw new InvalidArgumentError(`Allowed choices are ${words.join(', ')}.`)
    return found
  })

/** Options of every command that talks to a server. */
export const addConnection = (command: Command): Command =>
  command
    .addOption(env('--url <url>', 'server to talk to; default: the one of the data folder', 'DEVCYCLE_URL'))
    .addOption(env('--api-key <key>', 'API key; default: the one in the data folder', 'DEVCYCLE_API_KEY'))
    .addOption(env('--data <dir>', 'data folder of a server on this machine', 'DEVCYCLE_DATA').default('.devcycle'))
    .option('--json', "print the API's own JSON")

export type Connection = { url?: string; apiKey?: string; data?: string; json?: boolean }

export const clientOf = async (options: Connection): Promise<Client> =>
  (await import('../client/connect.ts')).connect(options)

export const example = (command: Command, ...lines: string[]): Command =>
  command.addHelpText(
    'after',
    `\n${lines.length > 1 ? 'Examples' : 'Example'}:\n${lines.map((line) => `  $ devcycle ${line}`).join('\n')}`,
  )
