import type { Command } from 'commander'
import { bashCompletion } from '../completion/bash-completion.ts'
import { commandNodes } from '../completion/command-nodes.ts'
import { zshCompletion } from '../completion/zsh-completion.ts'
import { print } from '../render/print.ts'

const scripts = { bash: bashCompletion, zsh: zshCompletion }

/** Prints a script that completes commands and options. */
export const completion = (program: Command, shell: keyof typeof scripts): void =>
  print(scripts[shell](commandNodes(program)))
