/**
 * `npm run bench [-- --only NAME,…] [--report FILE]`: the embedded host against the floor, the same HTTP server doing
 * only the two durable writes that a task needs. Ratios of one run count; milliseconds are this machine's.
 */
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { isWorse, type Row, render } from './row.ts'
import { backlog } from './scenarios/backlog.ts'
import { burst } from './scenarios/burst.ts'
import { fairness } from './scenarios/fairness.ts'
import { killSwitch } from './scenarios/kill-switch.ts'
import { afterwards, atRest } from './scenarios/memory.ts'
import { messages } from './scenarios/messages.ts'
import { nextStep } from './scenarios/next-step.ts'
import { recovery } from './scenarios/recovery.ts'
import type { Scenario } from './scenarios/scenario.ts'
import { watchers } from './scenarios/sockets.ts'
import { startLatency, startLatencyLoaded, startLatencySlots } from './scenarios/start-latency.ts'
import { startup } from './scenarios/startup.ts'
import { streams } from './scenarios/streams.ts'
import { throughput } from './scenarios/throughput.ts'
import { topics } from './scenarios/topics.ts'
import { waitingRuns } from './scenarios/waiting-runs.ts'
import { workflowTransitions } from './scenarios/workflows.ts'
import { startFloor, startProduct } from './targets.ts'

const scenarios: Record<string, Scenario> = {
  rest: atRest,
  w1: startLatency,
  w2: throughput,
  w3: burst,
  w4: recovery,
  'w1-loaded': startLatencyLoaded,
  'w1-slots': startLatencySlots,
  fairness,
  streams,
  sockets: watchers,
  backlog,
  memory: afterwards,
  'kill-switch': killSwitch,
  topics,
  messages,
  'next-step': nextStep,
  'waiting-runs': waitingRuns,
  startup,
  workflows: workflowTransitions,
}

const { values: options } = parseArgs({ options: { only: { type: 'string' }, report: { type: 'string' } } })
const chosen = options.only?.split(',') ?? Object.keys(scenarios)
const unknown = chosen.find((name) => !(name in scenarios))
if (unknown !== undefined)
  throw new Error(`there is no scenario ${unknown}; there are ${Object.keys(scenarios).join(', ')}`)

const product = await startProduct(['--no-agents'])
const floor = await startFloor()
const rows: Row[] = []
for (const name of chosen) {
  console.error(`… ${name}`)
  rows.push(...((await scenarios[name]?.({ product, floor: floor.url, floorPid: floor.pid })) ?? []))
}
product.stop()
floor.stop()

const [model = 'unknown processor'] = cpus().map((cpu) => cpu.model)
const report = `${cpus().length} × ${model}, Node ${process.version}\n\n${render(rows)}\n`
console.log(report)
if (options.report) writeFileSync(options.report, report)
process.exit(rows.some(isWorse) ? 1 : 0)
