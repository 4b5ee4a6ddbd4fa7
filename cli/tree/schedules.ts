import { type Command, InvalidArgumentError, Option } from 'commander'
import type { ScheduleResponse } from '#shared/contracts/schedules.ts'
import type { Client } from '../client/client.ts'
import { addConnection, type Connection, clientOf, collect, example, whole } from './options.ts'

const overlaps = ['skip', 'queue', 'cancel-previous'] satisfies ScheduleResponse['overlap'][]
const someId = 'sch_01KB2V7Q5W8S5ZK3M9N1P4R6T8'
const commands = () => import('../commands/schedules.ts')

export const addSchedules = (program: Command): void => {
  const schedules = program.command('schedules').description('start tasks by cron, at a rate, or at a time')
  example(
    schedules,
    `schedules create --cron '0 9 * * 1-5' --time-zone Europe/Berlin --capability code.review`,
    'schedules list',
  )
  addCreate(schedules)
  addList(schedules)
  addOne(schedules, ['get', 'show a schedule and its next starts'], async () => (await commands()).getSchedule)
  addRun(schedules)
  addOne(
    schedules,
    ['pause', 'start nothing until it is resumed; what comes due meanwhile is not made up'],
    async () => (await commands()).pauseSchedule,
  )
  addOne(schedules, ['resume', 'start again from now on'], async () => (await commands()).resumeSchedule)
  addOne(
    schedules,
    ['delete', 'delete a schedule; tasks that it started go on'],
    async () => (await commands()).deleteSchedule,
  )
}

const unitSeconds: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** `90`, `90s`, `5m`, `2h` or `1d` as seconds. */
export const parseEvery = (text: string): number => {
  const [, amount = '', unit = 's'] = /^(\d{1,9})([smhd]?)$/.exec(text) ?? []
  const seconds = Number(amount) * (unitSeconds[unit || 's'] ?? 1)
  if (amount === '' || seconds < 1) throw new InvalidArgumentError('expected a time such as 90s, 5m, 2h or 1d')
  return seconds
}

const addCreate = (schedules: Command): void => {
  const create = schedules
    .command('create')
    .description('make a schedule, and print its id')
    .option('--cron <expression>', 'five fields, or six with seconds first: minute hour day month weekday')
    .option('--time-zone <zone>', 'IANA time zone of --cron; default: UTC')
    .option('--every <time>', 'at a rate: 90s, 5m, 2h, 1d', parseEvery)
    .option('--at <time>', 'once: 2026-12-24T18:00:00+01:00')
    .option('--capability <name>', 'what is to be done; whoever offers it does it')
    .option('--agent <agent>', 'who is to do it: name or id')
    .option('--workflow <name>', 'start a run of this workflow instead')
    .option('--workflow-version <version>', 'number of a version, or an alias; default: live, else the latest')
    .option('--input <json>', 'the input of each task or run: JSON, @file, or - for standard input')
    .addOption(
      new Option('--priority <priority>', 'which lane of the queue').choices(['low', 'normal', 'high', 'urgent']),
    )
    .option('--label <key:value>', 'label the tasks; repeatable', collect)
    .option('--timeout <seconds>', 'seconds that an attempt may take', whole(1, 604_800))
    .option('--name <name>', 'name of the schedule')
    .addOption(
      new Option(
        '--overlap <what>',
        'what happens to a start while the task before has not ended; default: skip',
      ).choices(overlaps),
    )
    .option('--catch-up <seconds>', 'seconds: a start that is late by more is missed; default: 300', whole(0, 604_800))
    .option('--jitter <time>', 'make each start up to so much later, to spread them: 90s, 5m, 2h', parseEvery)
    .option('--paused', 'start nothing until it is resumed')
    .option('--idempotency-key <key>', 'the same key with the same options gives the same schedule')
    .action(async (options) => (await commands()).createSchedule(await clientOf(options), options))
  example(
    addConnection(create),
    `schedules create --cron '0 9 * * 1-5' --time-zone Europe/Berlin --capability code.review`,
    `schedules create --every 5m --agent my-agent --overlap queue`,
  )
}

const addList = (schedules: Command): void => {
  const list = schedules
    .command('list')
    .description('list schedules, newest first')
    .option('--limit <n>', 'at most so many', whole(1, 200), 20)
    .option('--cursor <cursor>', 'go on where a list ended')
    .action(async (options) => (await commands()).listSchedules(await clientOf(options), options))
  example(addConnection(list), 'schedules list')
}

const addRun = (schedules: Command): void => {
  const run = addConnection(
    schedules
      .command('run')
      .description('start it now, beside its planned starts; a start that does not come to be ends with code 1')
      .argument('<schedule>', 'id or name of the schedule')
      .option('--idempotency-key <key>', 'the same key gives the same start'),
  ).action(async (schedule: string, options) =>
    (await commands()).runSchedule(await clientOf(options), schedule, options),
  )
  example(run, 'schedules run nightly', `schedules run ${someId} --idempotency-key release-42`)
}

const addOne = (
  schedules: Command,
  [name, description]: [name: string, description: string],
  load: () => Promise<(client: Client, schedule: string, options: Connection) => Promise<void>>,
): void => {
  const command = addConnection(schedules.command(name).description(description))
    .argument('<schedule>', 'id or name of the schedule')
    .action(async (schedule: string, options: Connection) => (await load())(await clientOf(options), schedule, options))
  example(command, `schedules ${name} ${someId}`)
}
