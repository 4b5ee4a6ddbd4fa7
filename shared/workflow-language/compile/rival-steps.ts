import type { RaceStep, Step, VoteStep } from '#shared/contracts/workflows/definition.ts'
import { everyText } from '../expressions/every-expression.ts'
import { isExpression } from '../expressions/parse-expression.ts'
import { around, aroundResult } from './around.ts'
import type { AslBlock, AslState } from './asl.ts'
import { compileInner } from './block-steps.ts'
import { abandon, inside } from './block-time.ts'
import type { CompileSteps } from './compile-steps.ts'
import type { Compiled, Context } from './context.ts'
import { bind, wrap } from './expression.ts'
import { compileWaiting } from './product-step.ts'

const answerOf = ({ output }: RaceStep | VoteStep, { bindings }: Context): unknown =>
  output === undefined ? aroundResult : bind(output, bindings)

const won = 'Race.Won'
const everyError = ['States.ALL']
const evaluationFailed = 'States.QueryEvaluationError'

/**
 * The first branch that succeeds ends the others: a Parallel ends early by an error alone, so the winner fails with its
 * output as the cause. A branch that fails leaves the race to the others; when all have, the race fails.
 */
export const compileRace = (step: RaceStep, context: Context, compileSteps: CompileSteps): Compiled => {
  const { name, branches } = step
  const [start, end, nobody] = [`${name}: start`, `${name}: end`, `${name}: nobody`]
  const contestants = Object.entries(branches).map(([branch, steps], at) =>
    contestant(`${name}: ${at + 1}`, branch, compileInner(step, steps, context, compileSteps)),
  )
  const states: AslBlock['States'] = {
    [start]: {
      Type: 'Parallel',
      Branches: contestants,
      Catch: [{ ErrorEquals: [won], Output: '{% $parse($states.errorOutput.Cause) %}', Next: end }],
      Next: nobody,
    },
    [end]: { ...abandon(step, context), Output: '{% $states.input %}', End: true },
    [nobody]: { Type: 'Fail', Error: 'RACE_LOST', Cause: lostBy(name, Object.keys(branches)) },
  }
  return around(step, { StartAt: start, States: states }, answerOf(step, context), context, compileSteps)
}

/** What each branch has failed with. */
const lostBy = (name: string, branches: string[]): string => {
  const why = branches.map((branch, at) => `"${branch}: " & $lost($states.input[${at}])`).join(' & "; " & ')
  const lost = 'function($one) { $one.Error & ($one.Cause ? ": " & $substring($one.Cause, 0, 300) : "") }'
  return wrap(`($lost := ${lost}; "every branch of ${name} failed: " & ${why})`)
}

/** Its states have a number, since the names of the race and of the branch are longer than the name of a state may be. */
const contestant = (run: string, branch: string, block: AslBlock): AslBlock => {
  const [win, lose] = [`${run} won`, `${run} lost`]
  const cause = wrap(`$string({"branch": "${branch}", "output": $states.input})`)
  return {
    StartAt: run,
    States: {
      [run]: {
        Type: 'Parallel',
        Branches: [block],
        Output: '{% $states.result[0] %}',
        Catch: [{ ErrorEquals: everyError, Next: lose }],
        Next: win,
      },
      [win]: { Type: 'Fail', Error: won, Cause: cause },
      [lose]: { Type: 'Pass', End: true },
    },
  }
}

/** The most frequent ballot; voters that fail cast none. */
const tally = (voters: number): string =>
  wrap(
    `(
    $ballots := $map($filter($append([], $states.result), function($one) { $one.cast }), function($one) { $one.ballot })[];
    $choices := $map($distinct($append([], $ballots))[], function($choice) {
      {"choice": $choice, "votes": $count($filter($append([], $ballots), function($one) { $one = $choice })[])}
    });
    $most := $sort($append([], $choices), function($a, $b) { $a.votes < $b.votes })[0];
    {"choice": $most.choice, "votes": $most ? $most.votes : 0, "of": ${voters}, "ballots": $append([], $ballots)}
  )`.replaceAll(/\s+/g, ' '),
  )

/** Every voter does its task; a ballot that enough of them cast is the outcome. */
export const compileVote = (step: VoteStep, context: Context, compileSteps: CompileSteps): Compiled => {
  const { name, voters, quorum } = step
  const [ballots, enough, chosen, none] = [
    `${name}: ballots`,
    `${name}: quorum`,
    `${name}: chosen`,
    `${name}: no quorum`,
  ]
  const states: AslBlock['States'] = {
    [ballots]: {
      Type: 'Parallel',
      Branches: voters.map((_, at) => ballotOf(step, at, context, compileSteps)),
      Output: tally(voters.length),
      Next: enough,
    },
    [enough]: {
      Type: 'Choice',
      Choices: [{ Condition: `{% $states.input.votes >= ${quorum} %}`, Next: chosen }],
      Default: none,
    },
    [chosen]: { Type: 'Pass', End: true },
    [none]: {
      Type: 'Fail',
      Error: 'NO_QUORUM',
      Cause: wrap(`"the most frequent ballot of ${name} has " & $states.input.votes & " of ${quorum} votes"`),
    },
  }
  return around(step, { StartAt: ballots, States: states }, answerOf(step, context), context, compileSteps)
}

/** A voter that fails casts none. One whose expressions do cannot vote, nor would it another time: that fails the vote. */
const ballotOf = (vote: VoteStep, at: number, context: Context, compileSteps: CompileSteps): AslBlock => {
  const { name, voters, ballot = '{% $states.result %}' } = vote
  const voter = `${name}_${at + 1}`
  const [none, broken] = [`${name}: ${at + 1} casts none`, `${name}: ${at + 1} is broken`]
  const step: Step = { kind: 'task', name: voter, ...voters[at], output: ballot }
  const { states } = compileWaiting(step, { ...inside(vote, context), next: undefined, also: [] }, compileSteps)
  const { Assign: _, Output, ...state } = states[voter] as AslState
  const Catch = [
    { ErrorEquals: [evaluationFailed], Next: broken },
    { ErrorEquals: everyError, Next: none },
  ]
  return {
    StartAt: voter,
    States: {
      [voter]: { ...state, Type: 'Task', Output: { cast: true, ballot: Output }, Catch },
      [none]: { Type: 'Pass', Output: { cast: false }, End: true },
      [broken]: { Type: 'Fail', Error: '{% $states.input.Error %}', Cause: brokenBy(voter, { ...voters[at], ballot }) },
    },
  }
}

/** The fields whose expressions may have failed, in front of what failed. */
const brokenBy = (voter: string, fields: object): string => {
  const names = Object.entries(fields).flatMap(([field, value]) =>
    everyText(value).some(({ text }) => isExpression(text)) ? field : [],
  )
  return wrap(`"the ${names.join(' or ')} of ${voter}: " & $states.input.Cause`)
}
