import { type Command, Option } from 'commander'
import { collect, env, example, unless, whole } from './options.ts'

export const addStart = (program: Command): void => {
  const command = program
    .command('start')
    .description('start the server on this machine')
    .addOption(
      env('--port <number>', 'port to listen on; 0 takes any free one', 'DEVCYCLE_PORT')
        .argParser(whole(0, 65_535))
        .default(8787),
    )
    .addOption(env('--host <address>', 'address to listen on', 'DEVCYCLE_HOST').default('127.0.0.1'))
    .addOption(env('--data <dir>', 'data folder', 'DEVCYCLE_DATA').default('.devcycle'))
    .addOption(
      env('--agent <path>', 'folder of an agent of your own; repeatable', 'DEVCYCLE_AGENTS')
        .argParser(collect)
        .default([], 'none'),
    )
    .addOption(new Option('--fault-plan <file>', 'faults to inject, as JSON: for tests of what you build on it'))
    .addOption(new Option('--history <file>', 'write every operation and its answer to this file, a line each'))
    .addOption(
      env(
        '--egress-allow <target>',
        'host[:port], address or network that webhooks may call although it is not public; repeatable',
        'DEVCYCLE_EGRESS_ALLOW',
      )
        .argParser(collect)
        .default([], 'none'),
    )
    .addOption(unless('--no-agents', 'register and start no agents', 'DEVCYCLE_NO_AGENTS'))
    .addOption(unless('--no-tour', 'skip the first review on an empty data folder', 'DEVCYCLE_NO_TOUR'))
    .action(async (options) => (await import('../commands/start.ts')).start(options))
  example(command, 'start --port 0 --agent ./my-agent')
}

export const addBootstrap = (program: Command): void => {
  const command = program
    .command('bootstrap')
    .description('make an admin key of a deployment on AWS; it is printed once')
    .addOption(new Option('--stage <stage>', 'which deployment').choices(['dev', 'staging', 'prod']).default('dev'))
    .option('--region <region>', 'AWS region (default: the one of your AWS configuration)')
    .option('--json', 'print {"url": …, "apiKey": …}')
    .action(async (options) => (await import('../commands/bootstrap.ts')).bootstrap(options))
  example(command, 'bootstrap --stage dev')
}
