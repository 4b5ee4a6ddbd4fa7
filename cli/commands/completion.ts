import type { Command } from 'commander'
import { usageError } from '../failure.ts'

type Node = { path: string; words: string[] }

const flagsOf = (command: Command): string[] => command.options.map(({ long }) => long ?? '').filter(Boolean)

/** Every command with what may follow it. */
const nodesOf = (command: Command, path = ''): Node[] => {
  const children = command.commands.filter((child) => child.name() !== 'help')
  const words = [...children.map((child) => child.name()), ...flagsOf(command), '--help']
  return [{ path, words }, ...children.flatMap((child) => nodesOf(child, `${path} ${child.name()}`.trim()))]
}

const bash = (nodes: Node[]): string => `# devcycle completion for bash
_devcycle() {
  local path="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) case "$path $word" in
${nodes
  .filter(({ path }) => path !== '')
  .map(({ path }) => `      "${path.includes(' ') ? path : ` ${path}`}") path="${path}" ;;`)
  .join('\n')}
    esac ;; esac
  done
  local words=""
  case "$path" in
${nodes.map(({ path, words }) => `    "${path}") words="${words.join(' ')}" ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
  [ \${#COMPREPLY[@]} -eq 0 ] && COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _devcycle devcycle`

const zsh = (nodes: Node[]): string => `#compdef devcycle
autoload -U +X bashcompinit && bashcompinit
${bash(nodes)}`

/** Prints a script that completes commands and options. */
export const completion = (program: Command, shell: string): void => {
  const shells: Record<string, (nodes: Node[]) => string> = { bash, zsh }
  const write = shells[shell]
  if (write === undefined) throw usageError(`there is no completion for ${shell}; bash and zsh are possible`)
  process.stdout.write(`${write(nodesOf(program))}\n`)
}
