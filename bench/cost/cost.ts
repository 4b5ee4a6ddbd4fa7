/**
 * `npm run bench:cost`: what a million tasks, and a million runs of a workflow of five tasks, cost on AWS, from calls that
 * are counted. Agents and API Gateway are not in it.
 * `--limit N`: of a tenant with a limit of N at once.
 */
import { parseArgs } from 'node:util'
import { aPlatform } from '#test/support/embedded.ts'
import { type AwsHost, startAwsHost, startWorker } from './aws-host.ts'
import { printCost } from './report.ts'
import { runWorkflows } from './runs.ts'

const { values: options } = parseArgs({
  options: {
    tasks: { type: 'string', default: '200' },
    runs: { type: 'string', default: '50' },
    detail: { type: 'boolean', default: false },
    limit: { type: 'string' },
  },
})
const [tasks, runs] = [Number(options.tasks), Number(options.runs)]
const { detail } = options
const atOnce = 10
/** Dollars a million tasks; transitions of a run beside one for each step. */
const wanted = { dollars: 15, beside: 2 }

const doTasks = async (host: AwsHost): Promise<void> => {
  const work = await startWorker(host, atOnce)
  const concurrency = Number(options.limit)
  if (options.limit !== undefined) await host.call('limit', '/limits', { tenant: { concurrency } }, undefined, 'PATCH')
  const submit = (number: number) => host.call('submit', '/tasks', { capability: 'bench', input: { number } })
  host.meter.start()
  for (let done = 0; done < tasks; done += atOnce) {
    const room = Math.min(atOnce, tasks - done)
    await Promise.all(Array.from({ length: room }, (_, n) => submit(n)))
    for (let left = room; left > 0; ) left -= await work()
  }
  await host.settle()
  host.meter.stop()
}

/** Something counted on a host of its own. */
const measured = async <T>(measure: (host: AwsHost, embedded: Awaited<ReturnType<typeof aPlatform>>) => Promise<T>) => {
  const embedded = await aPlatform()
  const host = await startAwsHost(embedded.platform.workflows)
  const value = await measure(host, embedded)
  await host.stop()
  await embedded.close()
  return { value, meter: host.meter }
}

const ofTasks = await measured(doTasks)
const dollars = printCost(ofTasks.meter, { what: 'task', count: tasks, detail })
console.log(`| together | | ${dollars.toFixed(2)} (wanted ≤ ${wanted.dollars}) |\n`)

const ofRuns = await measured((host, { platform }) => runWorkflows(host, platform.workflows, runs))
const perRun = printCost(ofRuns.meter, { what: 'run', count: runs, detail })
console.log(`| together | | ${perRun.toFixed(2)} |`)
console.log(`transitions of a run beside one for each step: ${ofRuns.value.toFixed(2)} (wanted ≤ ${wanted.beside})`)
process.exit(dollars <= wanted.dollars && ofRuns.value <= wanted.beside ? 0 : 1)
