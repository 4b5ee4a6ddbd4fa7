import { type CommandNode, steps, type Value } from './command-nodes.ts'

const patterns = (all: string[]): string => all.map((one) => `"${one}"`).join(' | ')

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** `name:description`, as \`_describe\` reads it. */
const described = (all: { name: string; description: string }[]): string =>
  all.map(({ name, description }) => quote(`${name}:${description}`)).join(' ')

const expected = ({ words, files }: Value): string =>
  [words.length > 0 && `choices=(${words.join(' ')})`, files && 'files=1'].filter(Boolean).join(' ')

const rowsOf = ({ path, commands, flags, value }: CommandNode): string[] => [
  `    "${path}") commands=(${described(commands)}) flags=(${described(flags)}) ${expected(value)} ;;`,
  ...flags.flatMap((flag) => {
    const row = flag.value && expected(flag.value)
    return row ? [`    "${path} ${flag.name}") ${row} ;;`] : []
  }),
]

/** A script that completes commands, options, their values and files in zsh, with their descriptions. */
export const zshCompletion = (nodes: CommandNode[]): string => {
  const { commands, waiting } = steps(nodes)
  return `#compdef devcycle
# devcycle completion for zsh: source it, or put it as _devcycle on the fpath.
_devcycle() {
  local at=devcycle waiting= files= word
  local -a commands flags choices
  for word in "\${(@)words[2,CURRENT-1]}"; do
    if [[ -n $waiting ]]; then
      waiting=
      continue
    fi
    case "$at $word" in
    ${patterns(commands)}) at="$at $word" ;;
    ${patterns(waiting)}) waiting="$word" ;;
    esac
  done
  if [[ -z $waiting && $PREFIX == --*=* ]]; then
    waiting="\${PREFIX%%=*}"
    compset -P '*='
  fi
  case "$at\${waiting:+ $waiting}" in
${nodes.flatMap(rowsOf).join('\n')}
  esac
  (( $#commands )) && _describe -t commands command commands
  (( $#choices )) && compadd -a choices
  [[ -n $files ]] && _files
  if [[ $PREFIX == -* || ( $#commands -eq 0 && $#choices -eq 0 && -z $files ) ]]; then
    _describe -o -t options option flags
  fi
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _devcycle "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
  compdef _devcycle devcycle
fi`
}
