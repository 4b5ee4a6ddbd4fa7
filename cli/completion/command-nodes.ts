import type { Argument, Command, Option } from 'commander'

/** What may stand where a value is expected. */
export type Value = { words: readonly string[]; files: boolean }
export type Flag = { name: string; description: string; value?: Value }

/** A command, and what may follow it. */
export type CommandNode = {
  /** `devcycle tasks submit` */
  path: string
  commands: { name: string; description: string }[]
  flags: Flag[]
  value: Value
}

const places = /<(file|dir|path|place|repository)>/

const flagsOf = (option: Option): Flag[] =>
  [option.short, option.long]
    .filter((name) => name !== undefined)
    .map((name) => ({
      name,
      description: option.description,
      ...(option.required && { value: { words: option.argChoices ?? [], files: places.test(option.flags) } }),
    }))

const argumentOf = (command: Command): Value => {
  const known: readonly Argument[] = command.registeredArguments
  return {
    words: known.flatMap(({ argChoices }) => argChoices ?? []),
    files: known.some((one) => places.test(`<${one.name()}>`)),
  }
}

/** A command tree, flat, the root first. */
export const commandNodes = (command: Command, path = command.name()): CommandNode[] => {
  const commands = command.commands.map((child) => ({ name: child.name(), description: child.description() }))
  const help = { name: '--help', description: 'display help' }
  const flags = [...command.options.flatMap(flagsOf), help]
  const children = command.commands.flatMap((child) => commandNodes(child, `${path} ${child.name()}`))
  return [{ path, commands, flags, value: argumentOf(command) }, ...children]
}

/** How a script finds out at which command it is: what leads to one, and what waits for a value. */
export const steps = (nodes: CommandNode[]): { commands: string[]; waiting: string[] } => ({
  commands: nodes.slice(1).map(({ path }) => path),
  waiting: nodes.flatMap(({ path, flags }) => flags.filter(({ value }) => value).map(({ name }) => `${path} ${name}`)),
})
