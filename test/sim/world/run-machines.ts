import { workflowConsumer } from '#functions/workflow-steps/workflow-consumer.ts'
import { createEmbeddedWorkflows } from '#shared/platform/embedded/workflows/embedded-workflows.ts'
import { createExpressions } from '#shared/platform/embedded/workflows/expressions.ts'
import { answerRequest } from '#shared/platform/embedded/workflows/jsonata-request.ts'
import type { WorkflowConsumer } from '#shared/platform/platform.ts'
import type { Ports } from './process.ts'
import type { World } from './world.ts'

/** Virtual time stands still while an expression is evaluated, however long that takes on a busy machine. */
const limits = { timeout: 60_000, stack: 500, sequence: 1_000_000 }
const expressions = createExpressions({
  quick: limits,
  apart: {
    evaluate: (source, bindings) => answerRequest({ source, bindings, limits, mostCharacters: 1_000_000 }),
    close: async () => undefined,
  },
})

/** A command, or an end, comes once, several times at once, or is put back for a while; an end is also told again later. */
const unruly = ({ faults, timeline }: World, { onCommand, onEnd }: WorkflowConsumer): WorkflowConsumer => ({
  async onCommand(body) {
    const { copies } = faults.transit()
    if (copies === 0) throw new Error('the command is lost, and comes again')
    await Promise.all(Array.from({ length: copies }, () => onCommand(body)))
  },
  async onEnd(end) {
    const { copies, lateMs } = faults.transit()
    if (copies === 0) throw new Error('the end is lost, and comes again')
    await Promise.all(Array.from({ length: copies }, () => onEnd(end)))
    if (lateMs > 0) timeline.at(timeline.now() + lateMs, () => void onEnd(end).catch(() => undefined))
  },
})

/** The interpreter of machines: it goes on with what is stored, and does what steps ask for. */
export const machinesLoop =
  (world: World) =>
  ({ platform, runs }: Ports): void => {
    const { clock, random, telemetry } = platform
    const workflows = createEmbeddedWorkflows({ table: runs, clock, random, telemetry, expressions })
    workflows.serve(unruly(world, workflowConsumer(platform)))
    world.machines.serve(workflows)
  }
