import type { Definition, Step } from '#shared/contracts/workflows/definition.ts'
import { toSeconds } from '#shared/contracts/workflows/values.ts'
import { compensatedSteps, everyStep } from '../steps.ts'
import { wholeResults } from '../whole-results.ts'
import type { AslBlock, AslMachine, AslState } from './asl.ts'
import { compileSteps } from './compile-steps.ts'
import { asOutput, type Bindings, bind, runBindings, wrap } from './expression.ts'
import { end, inLegs, type Legs, legBindings, legRun, planLegs } from './legs.ts'

/** A run may take 30 days unless its definition says otherwise. */
const defaultRunSeconds = 2_592_000
/** Undoing may take a day. */
const undoSeconds = 86_400

/** The machine of a run, and the one that undoes what it had completed when it does not succeed. */
export type CompiledDefinition = { run: AslMachine; undo?: AslMachine }

const execution = wrap('$states.context.Execution.Name')
const inFlow = { also: [], inMap: false, within: [], rounds: [], undoes: false }

export type CompileOptions = {
  /** A loop goes on in another execution after so many events. @default 20,000 of the 25,000 that one may have */
  legEvents?: number
}

/** Compiles a definition that was validated. */
export const compile = (definition: Definition, { legEvents }: CompileOptions = {}): CompiledDefinition =>
  compileMachines(definition, planLegs(definition, legEvents))

/** The machines of a definition whose legs are planned. */
export const compileMachines = (definition: Definition, legs: Legs | undefined): CompiledDefinition => {
  const { description, timeout } = definition
  const { StartAt, States } = compileRun(definition, legs)
  return {
    run: {
      ...(description !== undefined && { Comment: description }),
      QueryLanguage: 'JSONata',
      StartAt,
      TimeoutSeconds: timeout === undefined ? defaultRunSeconds : toSeconds(timeout),
      States,
    },
    ...compileUndo(definition),
  }
}

const compileRun = (definition: Definition, legs: Legs | undefined): AslBlock => {
  const { steps, output } = definition
  const place = { ...inFlow, whole: wholeResults(definition) }
  if (legs !== undefined) {
    const inLeg = { ...place, next: end, bindings: legBindings, run: legRun, legs }
    return inLegs(definition, compileSteps(steps, inLeg), legs)
  }
  const next = output === undefined ? undefined : end
  const { start, states } = compileSteps(steps, { ...place, next, bindings: runBindings, run: execution })
  const last: Record<string, AslState> =
    output === undefined ? {} : { [end]: { Type: 'Succeed', Output: asOutput(bind(output, runBindings)) } }
  return { StartAt: start, States: { ...states, ...last } }
}

const told = '$states.context.Execution.Input'
/** Of a step that is undone, the time that it completed last; what it answered is told there alone. */
const undoneOutput = (name: string): string => `${told}.completed[step = "${name}"][0].output`

/** What steps see when they undo: the input of the run, why it did not succeed, and what its steps had answered. */
const undoBindings = (definition: Definition): Bindings => {
  const names = everyStep(definition.steps).flatMap(({ step, path }) =>
    path.includes('compensate') ? [] : [step.name],
  )
  const undone = new Set(compensatedSteps(definition).map(({ name }) => name))
  return {
    input: `${told}.input`,
    run: `{"id": ${told}.run}`,
    error: `${told}.error`,
    output: '$states.context.Map.Item.Value.output',
    ...Object.fromEntries(
      names.map((name) => [name, undone.has(name) ? undoneOutput(name) : `${told}.outputs.${name}`]),
    ),
  }
}

/** One completed step after the other, in the order of the list that it is given; one that fails does not keep the rest. */
const compileUndo = (definition: Definition): { undo?: AslMachine } => {
  const undone = compensatedSteps(definition)
  if (undone.length === 0) return {}
  const each: Record<string, AslState> = {
    which: {
      Type: 'Choice',
      Choices: undone.map(({ name }) => ({
        Condition: `{% $states.context.Map.Item.Value.step = "${name}" %}`,
        Next: `undo ${name}`,
      })),
      Default: 'nothing',
    },
    nothing: { Type: 'Pass', Output: asOutput(null), End: true },
  }
  const bindings = undoBindings(definition)
  for (const { name, compensate } of undone) Object.assign(each, undoOf(name, compensate, bindings))
  const states: AslMachine['States'] = {
    undo: {
      Type: 'Map',
      Items: '{% $states.input.completed %}',
      MaxConcurrency: 1,
      ItemProcessor: { ProcessorConfig: { Mode: 'INLINE' }, StartAt: 'which', States: each },
      End: true,
    },
  }
  return { undo: { QueryLanguage: 'JSONata', StartAt: 'undo', TimeoutSeconds: undoSeconds, States: states } }
}

const undoOf = (name: string, steps: Step[], bindings: Bindings): Record<string, AslState> => {
  const block = compileSteps(steps, {
    next: undefined,
    bindings,
    also: [],
    inMap: true,
    within: [],
    rounds: [],
    undoes: true,
    whole: new Set(),
    run: execution,
  })
  const failed = `${name} stays`
  return {
    [`undo ${name}`]: {
      Type: 'Parallel',
      Branches: [{ StartAt: block.start, States: block.states }],
      Catch: [
        {
          ErrorEquals: ['States.ALL'],
          Output: `{% {"step": "${name}", "undone": false, "error": $states.errorOutput.Error, "cause": $states.errorOutput.Cause} %}`,
          Next: failed,
        },
      ],
      Output: { step: name, undone: true },
      End: true,
    },
    [failed]: { Type: 'Pass', End: true },
  }
}
