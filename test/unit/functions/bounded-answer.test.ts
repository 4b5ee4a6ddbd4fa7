import { describe, expect, it } from 'vitest'
import { boundedAnswer } from '#functions/api/bounded-answer.ts'

const mebibyte = 1024 * 1024
const anAnswer = (body: string) => ({ statusCode: 200, body, headers: { 'x-request-id': 'req-1' } })

describe('an answer by Lambda', () => {
  it.each([
    ['short', 'a'],
    ['as long as it may be', 'a'.repeat(6 * mebibyte - 200)],
  ])('is what it is when it is %s', async (_, body) => {
    const answer = anAnswer(body)
    expect(await boundedAnswer(answer)).toBe(answer)
  })

  it.each([
    ['has too many characters', 'a'.repeat(7 * mebibyte)],
    ['has too many bytes', 'ü'.repeat(4 * mebibyte)],
    ['has too many that JSON escapes', '"'.repeat(4 * mebibyte)],
  ])('says what to ask instead when it %s', async (_, body) => {
    const { statusCode, headers, body: text } = await boundedAnswer(anAnswer(body))
    expect([statusCode, headers]).toEqual([
      413,
      expect.objectContaining({ 'content-type': 'application/problem+json' }),
    ])
    expect(JSON.parse(text)).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      detail: expect.stringMatching(
        /^the answer has \d+ bytes; 6291456 are possible\. Ask for less at a time, by limit or max where there is one$/,
      ),
      requestId: 'req-1',
    })
  })

  it('knows its request by headers of several values as well', async () => {
    const answer = { statusCode: 200, body: 'a'.repeat(7 * mebibyte), multiValueHeaders: { 'x-request-id': ['req-2'] } }
    expect(JSON.parse((await boundedAnswer(answer)).body)).toMatchObject({ requestId: 'req-2' })
  })
})
