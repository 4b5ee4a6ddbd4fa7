import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { addAgents } from './tree/agents.ts'
import { addApprovals } from './tree/approvals.ts'
import { addBatches } from './tree/batches.ts'
import { addCompletion } from './tree/completion.ts'
import { addLimits, addUsage } from './tree/limits.ts'
import { addMailbox, addMessages } from './tree/messages.ts'
import { addObjects } from './tree/objects.ts'
import { example } from './tree/options.ts'
import { addQueues } from './tree/queues.ts'
import { addReview } from './tree/review.ts'
import { addRun, addRuns } from './tree/runs.ts'
import { addSchedules } from './tree/schedules.ts'
import { addBootstrap, addStart } from './tree/server.ts'
import { addTasks } from './tree/tasks.ts'
import { addHooks, addSubscriptions } from './tree/topics.ts'
import { addWatch } from './tree/watch.ts'
import { addWebhooks } from './tree/webhooks.ts'
import { addWorkflows } from './tree/workflows.ts'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

/** The command tree. What a command does is loaded when it runs. */
export const createProgram = (): Command => {
  const program = new Command('devcycle')
    .description('Runs AI agents for the software development life cycle.')
    .version(version)
    .exitOverride()
  for (const add of [
    addStart,
    addReview,
    addAgents,
    addTasks,
    addWatch,
    addApprovals,
    addBatches,
    addSchedules,
    addWebhooks,
    addMessages,
    addMailbox,
    addSubscriptions,
    addQueues,
    addHooks,
    addRun,
    addRuns,
    addWorkflows,
    addLimits,
    addUsage,
    addObjects,
    addBootstrap,
    addCompletion,
  ])
    add(program)
  example(program.addHelpText('after', exitCodesHelp), 'start', 'review .', 'tasks list --status running')
  explainInOneLine(program, 'devcycle')
  return program
}

const exitCodesHelp = `
Exit codes:
  0 done   1 findings, or a failure without a code of its own   2 usage   3 not authenticated
  4 not found   5 the task failed   6 server unreachable   130 interrupted   143 terminated`

/** What is wrong with a command line, and whose help says what would be right. */
const explainInOneLine = (command: Command, path: string): void => {
  command.configureOutput({
    outputError: (text, write) => {
      const line = text
        .replace(/^error: /, '')
        .trim()
        .replace(/\s*\n\s*/g, ' ')
      write(`devcycle: ${line.replace(/\.$/, '')}; see ${path} --help\n`)
    },
  })
  for (const child of command.commands) explainInOneLine(child, `${path} ${child.name()}`)
}
