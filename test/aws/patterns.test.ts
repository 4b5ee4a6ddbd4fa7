import { EventBridgeClient, TestEventPatternCommand } from '@aws-sdk/client-eventbridge'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type PatternCase, patternCases } from '#test/support/pattern-cases.ts'
import { refusedPatterns } from '#test/support/refused-patterns.ts'
import { type Emulator, startEmulator } from './emulator.ts'

type Oracle = 'localstack' | 'ministack'

const crashes = 'it fails when a text is looked for in what is no text, or is not there'
const unchecked = 'it does not check the value of this operator'
const wide = 'it takes numbers beyond the documented -5e9 to 5e9'

/** What an emulator says otherwise than the documentation of EventBridge, by the name or the JSON of the case, and why. */
const deviations: Record<Oracle, Record<string, string>> = {
  localstack: {
    'true, not its text': 'it compares as Python does, to which 1 is True',
    prefix: crashes,
    'anything but a string': 'a field that is not there is anything but a value to it; Ruler asks for a value',
    'anything but a number': 'a field that is not there is anything but a value to it; Ruler asks for a value',
    'anything but a prefix': crashes,
    wildcard: 'an asterisk stands for one character at least to it',
    'an asterisk that is no wildcard': 'it does not know escaped asterisks',
    'all of one object of a list': 'it takes the fields of several objects together',
    'nested objects, and several operators of one field': crashes,
    '{}': unchecked,
    '{"a":{}}': unchecked,
    '{"a":[{"prefix":{"equals-ignore-case":1}}]}': unchecked,
    '{"a":[{"anything-but":[]}]}': unchecked,
    '{"a":[{"anything-but":["x",1]}]}': unchecked,
    '{"a":[{"anything-but":null}]}': unchecked,
    '{"a":[{"numeric":[">",6000000000]}]}': wide,
    '{"a":[{"wildcard":"a\\\\b"}]}': unchecked,
  },
  ministack: { '{"a":[{"numeric":[">",6000000000]}]}': wide },
}

const eventOf = (detail: object) => ({
  id: '6a7e8feb-b491-4cf7-a9f1-bf3703467718',
  version: '0',
  account: '111122223333',
  region: 'us-east-1',
  source: 'devcycle.test',
  time: '2026-01-31T12:00:00Z',
  resources: [],
  'detail-type': 'test',
  detail,
})

describe.each(['localstack', 'ministack'] as const)('our event patterns, beside those of %s', (name) => {
  let emulator: Emulator
  let events: EventBridgeClient
  beforeAll(async () => {
    emulator = await startEmulator(name)
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
    events = new EventBridgeClient({ endpoint: emulator.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 })
  })
  afterAll(() => emulator?.stop())

  const ask = async (pattern: unknown, detail: object): Promise<boolean | undefined> => {
    const EventPattern = JSON.stringify({ detail: pattern })
    const answer = await events.send(
      new TestEventPatternCommand({ EventPattern, Event: JSON.stringify(eventOf(detail)) }),
    )
    return answer.Result
  }
  /** The events of a case that it answers otherwise, and refusals. */
  const differences = async ({ pattern, matches, not }: PatternCase): Promise<string[]> => {
    const wanted = [...matches.map((event) => ({ event, is: true })), ...not.map((event) => ({ event, is: false }))]
    const answers = await Promise.all(
      wanted.map(async ({ event, is }) => {
        const answer = await ask(pattern, event).catch((error: Error) => error.message)
        return answer === is ? [] : [`${JSON.stringify(event)}: ${answer}`]
      }),
    )
    return answers.flat()
  }

  it.each(patternCases)('agree on $name', async (row) => {
    const known = deviations[name][row.name]
    const found = await differences(row)
    if (known === undefined) expect(found).toEqual([])
    else expect(found, `a deviation that is none any more: ${known}`).not.toEqual([])
  })

  const refusals = refusedPatterns.map(({ pattern }) => ({ pattern, json: JSON.stringify(pattern) }))
  it.each(refusals)('agree that $json is refused', async ({ pattern, json }) => {
    const known = deviations[name][json]
    const refused = await ask(pattern, {}).then(
      () => false,
      () => true,
    )
    expect(refused, known).toBe(known === undefined)
  })
})
