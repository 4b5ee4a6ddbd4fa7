import type { Step, Work } from '#shared/contracts/workflows/definition.ts'
import { toSeconds } from '#shared/contracts/workflows/values.ts'
import type { AslState, Values } from './asl.ts'
import { commandTo, defaultStepSeconds, defined, sendSeconds } from './command.ts'
import type { CompileSteps } from './compile-steps.ts'
import { answered, type Compiled, type Context, onward } from './context.ts'
import { bind } from './expression.ts'
import { guard, leftOut } from './guard.ts'

/** The fields of who does a task, as a command has them. */
export const workOf = ({
  capability,
  agent,
  version,
  input,
  priority,
  labels,
  requirements,
  affinityKey,
  budget,
}: Work): Values => defined({ capability, agent, version, input, priority, labels, requirements, affinityKey, budget })

type Waiting = Extract<Step, { kind: 'task' | 'approval' | 'waitForEvent' | 'subWorkflow' | 'state' }>

/** What of a step goes to the product, besides its kind and name. */
const payloads: { [K in Waiting['kind'] | 'message']: (step: Extract<Step, { kind: K }>) => Values } = {
  task: (step) => ({ ...workOf(step), ...(step.retry !== undefined && { attempts: 1 }) }),
  approval: ({ prompt, people, groups, quorum, escalate, onReject }) =>
    defined({
      prompt,
      people,
      groups,
      quorum,
      escalateAfterSeconds: escalate && toSeconds(escalate.after),
      escalateTo: escalate?.to,
      onReject,
    }),
  waitForEvent: ({ topic, pattern, correlation }) => defined({ topic, pattern, correlation }),
  subWorkflow: ({ workflow, version, input }) => defined({ workflow, version, input }),
  state: ({ key, value }) => defined({ key, value }),
  message: ({ topic, body }) => defined({ topic, body }),
}

const payloadOf = (step: Waiting | Extract<Step, { kind: 'message' }>): Values =>
  (payloads[step.kind] as (step: Step) => Values)(step)

/** A step that the product does: a Task that waits for its answer. */
export const compileWaiting = (step: Waiting, context: Context, compileSteps: CompileSteps): Compiled => {
  const { name, description, timeout, output } = step
  if (step.kind === 'subWorkflow' && step.wait === false) return compileSent(step, context)
  const seconds = timeout === undefined ? defaultStepSeconds : toSeconds(timeout)
  const command = bind(
    { kind: step.kind, name, ...payloadOf(step), timeoutSeconds: seconds },
    context.bindings,
  ) as Values
  const guarded = guard(step, context, compileSteps)
  const answer = output === undefined ? '{% $states.result %}' : bind(output, context.bindings)
  const state: AslState = {
    Type: 'Task',
    ...(description !== undefined && { Comment: description }),
    ...commandTo(command, true, context),
    TimeoutSeconds: seconds,
    ...answered(name, answer, context, leftOut(step)),
    ...guarded.fields,
    ...onward(context),
  }
  return { start: name, states: { [name]: state, ...guarded.states } }
}

/** A step that nothing waits for. */
export const compileSent = (step: Extract<Step, { kind: 'message' | 'subWorkflow' }>, context: Context): Compiled => {
  const { name, description, kind } = step
  const command = bind({ kind, name, ...payloadOf(step) }, context.bindings) as Values
  const state: AslState = {
    Type: 'Task',
    ...(description !== undefined && { Comment: description }),
    ...commandTo(command, false, context),
    TimeoutSeconds: sendSeconds,
    ...answered(name, null, context),
    ...onward(context),
  }
  return { start: name, states: { [name]: state } }
}
