import { Argument, type Command } from 'commander'
import { example } from './options.ts'

export const addCompletion = (program: Command): void => {
  const command = program
    .command('completion')
    .description('print a completion script for a shell')
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh']))
    .action(async (shell: 'bash' | 'zsh') => (await import('../commands/completion.ts')).completion(program, shell))
  example(command, 'completion bash > ~/.local/share/bash-completion/completions/devcycle')
}
