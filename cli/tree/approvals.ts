import type { Command } from 'commander'
import type { ApprovalResponse } from '#shared/contracts/approvals.ts'
import type { Client } from '../client/client.ts'
import { addConnection, type Connection, clientOf, example, oneOf, whole } from './options.ts'

const states = [
  'PENDING',
  'ESCALATED',
  'APPROVED',
  'REJECTED',
  'EXPIRED',
  'CANCELLED',
] satisfies ApprovalResponse['state'][]
const someId = 'apr_01KB2V7Q5W8S5ZK3M9N1P4R6T8'

export const addApprovals = (program: Command): void => {
  const approvals = program.command('approvals').description('decide what tasks wait for')
  example(approvals, 'approvals list --state pending', `approvals approve ${someId}`)
  addList(approvals)
  addGet(approvals)
  addApprove(approvals)
  addReject(approvals)
  addDelegate(approvals)
}

const addList = (approvals: Command): void => {
  const list = approvals
    .command('list')
    .description('list approvals, newest first')
    .addOption(oneOf('--state <state>', 'only approvals in this state', states))
    .option('--task <task>', 'only what this task asked for')
    .option('--limit <n>', 'at most so many', whole(1, 200), 20)
    .option('--cursor <cursor>', 'go on where a list ended')
    .action(async (options) =>
      (await import('../commands/approvals.ts')).listApprovals(await clientOf(options), options),
    )
  example(addConnection(list), 'approvals list --state pending')
}

/** A command about one approval, whose doing is loaded when it runs. */
const one = <O extends Connection>(
  approvals: Command,
  [name, description]: [name: string, description: string],
  load: () => Promise<(client: Client, approval: string, options: O) => Promise<void>>,
): Command =>
  addConnection(approvals.command(name).description(description))
    .argument('<approval>', 'id of the approval')
    .action(async (approval: string, options: O) => (await load())(await clientOf(options), approval, options))

const commands = () => import('../commands/approvals.ts')

const addGet = (approvals: Command): void => {
  const get = one(approvals, ['get', 'show an approval'], async () => (await commands()).getApproval)
  example(get, `approvals get ${someId}`)
}

const addApprove = (approvals: Command): void => {
  const about: [string, string] = ['approve', 'approve: the task goes on']
  const approve = one(approvals, about, async () => (await commands()).approve)
    .option('--comment <text>', 'why')
    .option('--response <json>', 'what the task is told besides: JSON, @file, or - for standard input')
  example(approve, `approvals approve ${someId} --comment 'after 18:00'`)
}

const addReject = (approvals: Command): void => {
  const about: [string, string] = ['reject', 'reject: the task fails, unless it asked to be told']
  const reject = one(approvals, about, async () => (await commands()).reject).option('--comment <text>', 'why')
  example(reject, `approvals reject ${someId} --comment 'the tests are red'`)
}

const addDelegate = (approvals: Command): void => {
  const about: [string, string] = ['delegate', 'pass an approval on to somebody else']
  const delegate = one<Connection & { to: string }>(approvals, about, async () => (await commands()).delegate)
    .requiredOption('--to <name>', 'who is to decide')
    .option('--from <name>', 'whose place it is; default: that of all')
    .option('--comment <text>', 'why')
  example(delegate, `approvals delegate ${someId} --to eve --from ann`)
}
