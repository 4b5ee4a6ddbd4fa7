import type { Step, Work } from '#shared/contracts/workflows/definition.ts'
import { toSeconds } from '#shared/contracts/workflows/values.ts'
import type { AslState, Values } from './asl.ts'
import { commandTo, defined, sendSeconds, waitSeconds } from './command.ts'
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

type Waiting = Extract<
  Step,
  { kind: 'task' | 'approval' | 'message' | 'request' | 'waitForEvent' | 'subWorkflow' | 'state' }
>

/** What of a step goes to the product, besides its kind and name. */
const payloads: { [K in Waiting['kind']]: (step: Extract<Step, { kind: K }>) => Values } = {
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
  message: ({ topic, to, type, body, conversation }) => defined({ topic, to, type, body, conversation }),
  request: ({ to, type, body, conversation }) => defined({ to, type, body, conversation }),
}

const payloadOf = (step: Waiting): Values => (payloads[step.kind] as (step: Step) => Values)(step)

/** A step that the product does: a Task that waits for its answer. The product ends a request, so that it tells by whom there was no response. */
export const compileWaiting = (step: Waiting, context: Context, compileSteps: CompileSteps): Compiled => {
  const { name, description, output } = step
  if (step.kind === 'subWorkflow' && step.wait === false) return compileSent(step, context)
  const seconds = waitSeconds(step)
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
    TimeoutSeconds: step.kind === 'request' ? seconds + sendSeconds : seconds,
    ...answered(name, answer, context, leftOut(step)),
    ...guarded.fields,
    ...onward(context),
  }
  return { start: name, states: { [name]: state, ...guarded.states } }
}

/** A step that nothing waits for. */
const compileSent = (step: Extract<Step, { kind: 'subWorkflow' }>, context: Context): Compiled => {
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
