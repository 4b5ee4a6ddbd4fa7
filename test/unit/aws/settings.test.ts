import { describe, expect, it } from 'vitest'
import { parseSettings } from '#shared/platform/aws/settings.ts'

const complete = {
  STAGE: 'dev',
  MAIN_TABLE: 'main',
  VOLATILE_TABLE: 'volatile',
  OBJECTS_BUCKET: 'objects',
  EVENT_BUS_NAME: 'bus',
  WEBSOCKET_URL: 'wss://sockets.test/live',
  QUEUE_PREFIX: 'devcycle-dev',
  STATE_MACHINE_PREFIX: 'arn:aws:states:us-east-1:000000000000:stateMachine:devcycle-dev',
  WORKFLOW_ROLE_ARN: 'arn:aws:iam::000000000000:role/workflows',
  STEPS_QUEUE_URL: 'https://sqs.us-east-1.amazonaws.com/000000000000/devcycle-dev-steps',
  GENERATION: '17',
}

describe('settings of the functions', () => {
  it('take what is optional from its default', () => {
    expect(parseSettings(complete)).toMatchObject({ ...complete, SERVICE_NAME: 'devcycle', HOSTED_AGENTS: [] })
  })

  it('read the hosted agents', () => {
    const agent = { agent: 'code-reviewer', service: 'cluster/reviewer', slots: 1, max: 4 }
    expect(parseSettings({ ...complete, HOSTED_AGENTS: JSON.stringify([agent]) }).HOSTED_AGENTS).toEqual([agent])
  })

  it('name everything that is missing or wrong at once', () => {
    const { MAIN_TABLE: _, ...rest } = complete
    const parse = () => parseSettings({ ...rest, GENERATION: 'x', HOSTED_AGENTS: '[{"agent":"a"}]' })
    for (const text of [/MAIN_TABLE/, /GENERATION: expected a whole number/, /HOSTED_AGENTS\.0\.service/])
      expect(parse).toThrow(text)
    expect(() => parseSettings({ ...complete, HOSTED_AGENTS: '{' })).toThrow(/HOSTED_AGENTS: expected a JSON list/)
  })
})
