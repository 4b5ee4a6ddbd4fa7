import { type CommandNode, steps, type Value } from './command-nodes.ts'

const patterns = (all: string[]): string => all.map((one) => `"${one}"`).join(' | ')

const expected = ({ words, files }: Value): string =>
  [words.length > 0 && `words="${words.join(' ')}"`, files && 'files=1'].filter(Boolean).join(' ')

const rowsOf = ({ path, commands, flags, value }: CommandNode): string[] => {
  const follows = expected({ words: [...commands.map(({ name }) => name), ...value.words], files: value.files })
  return [
    `    "${path}") ${follows} flags="${flags.map(({ name }) => name).join(' ')}" ;;`,
    ...flags.flatMap((flag) => {
      const row = flag.value && expected(flag.value)
      return row ? [`    "${path} ${flag.name}") ${row} ;;`] : []
    }),
  ]
}

/** A script that completes commands, options, their values and files in bash 3.2 and later. */
export const bashCompletion = (nodes: CommandNode[]): string => {
  const { commands, waiting } = steps(nodes)
  return `# devcycle completion for bash: source it, or put it where bash-completion looks.
_devcycle() {
  local current="\${COMP_WORDS[COMP_CWORD]}" at="devcycle" waiting="" words="" flags="" files="" word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    if [[ -n $waiting ]]; then
      [[ $word == "=" ]] || waiting=""
      continue
    fi
    case "$at $word" in
    ${patterns(commands)}) at="$at $word" ;;
    ${patterns(waiting)}) waiting="$word" ;;
    esac
  done
  [[ $current == "=" ]] && current=""
  case "$at\${waiting:+ $waiting}" in
${nodes.flatMap(rowsOf).join('\n')}
  esac
  [[ $current == -* || -z $words$files ]] && words="$words $flags"
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [[ -n $files && $current != -* ]]; then
    local IFS=$'\\n'
    COMPREPLY+=($(compgen -f -- "$current"))
    compopt -o filenames 2>/dev/null
  fi
  return 0
}
complete -F _devcycle devcycle`
}
