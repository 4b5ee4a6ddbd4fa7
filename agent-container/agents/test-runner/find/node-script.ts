import { splitCommand } from '../split-command.ts'

export type Scripts = Record<string, string>
/** What a script runs last, and how many `--` npm needs on the way for arguments to reach it. */
export type LastCommand = { program: string; args: string[]; separators: number }

const wrappers = new Set(['npx', 'cross-env', 'c8', 'nyc', 'env'])
const isAssignment = (word: string) => /^\w+=/.test(word)
/** What only a shell understands besides `&&`: then nothing is known. */
const shell = /[|;<>`]|\$\(|(?<!&)&(?!&)/

/** Follows a script to the program that does the work; `undefined` when only a shell could tell. */
export const lastCommandOf = (script: string, scripts: Scripts, depth = 0): LastCommand | undefined => {
  if (shell.test(script) || depth > 5) return undefined
  const words = splitCommand(script.split('&&').at(-1) ?? '')
  const at = words.findIndex(
    (word, index) => !isAssignment(word) && !wrappers.has(word) && !isFlagOfWrapper(words, index),
  )
  const [program, ...args] = at < 0 ? [] : words.slice(at)
  if (program === undefined) return undefined
  const inner = innerScript(program, args)
  if (inner === undefined) return { program, args, separators: 0 }
  const next = scripts[inner]
  const followed = next === undefined ? undefined : lastCommandOf(next, scripts, depth + 1)
  return followed && { ...followed, separators: followed.separators + (program === 'npm' ? 1 : 0) }
}

const isFlagOfWrapper = (words: string[], at: number) => at > 0 && words[at]?.startsWith('-') === true

/** `npm run x` by the name of `x`. */
const innerScript = (program: string, args: string[]): string | undefined => {
  if (!['npm', 'pnpm', 'yarn'].includes(program)) return undefined
  const [first, second] = args.filter((arg) => !arg.startsWith('-'))
  return first === 'run' || first === 'run-script' ? second : first
}

type Reporter = { program: string; args: (file: string) => string[]; unless: string[] }

const reporters: Reporter[] = [
  {
    program: 'vitest',
    args: (file) => ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`],
    unless: ['--outputFile', 'bench', 'list'],
  },
  {
    program: 'jest',
    args: (file) => ['--json', `--outputFile=${file}`],
    unless: ['--json', '--outputFile', '--watch'],
  },
]

/** Arguments that make a program write a report of jest's shape, besides what it prints; `undefined` when none do. */
export const reporterArgs = ({ program, args }: LastCommand, file: string): string[] | undefined => {
  const reporter = reporters.find((one) => one.program === program)
  const taken = args.some((arg) => reporter?.unless.some((one) => arg.startsWith(one)))
  return taken ? undefined : reporter?.args(file)
}
