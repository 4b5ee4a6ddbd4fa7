import type { Step } from '#shared/contracts/workflows/definition.ts'
import type { CompileSteps } from './compile-steps.ts'
import { answered, type Context, onward } from './context.ts'
import { guard, leftOut } from './guard.ts'

/** The rest of a state that can fail. */
export const finished = (step: Step, output: unknown, context: Context, compileSteps: CompileSteps) => {
  const guarded = guard(step, context, compileSteps)
  return {
    fields: { ...answered(step.name, output, context, leftOut(step)), ...guarded.fields, ...onward(context) },
    states: guarded.states,
  }
}
