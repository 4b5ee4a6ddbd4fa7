import { type Body, headLimit } from './body.ts'

/** An answer has so much of bodies at most, or one alone: what a function of AWS may answer is 6 MB with all that is around. */
export const answerBytes = 4 * 1024 ** 2

/** What a body takes of an answer, about. */
export const sizeOfBody = (body: Body | undefined): number => {
  if (body === undefined) return 0
  return body.in === 'head' ? headLimit : body.size
}

/** The first of a list that an answer has room for beside what is in it; of an empty answer at least one. */
export const firstThatFit = <T>(list: T[], bytesOf: (one: T) => number, before = 0): T[] => {
  let bytes = before
  const end = list.findIndex((one, at) => {
    bytes += bytesOf(one)
    return bytes > answerBytes && (at > 0 || before > 0)
  })
  return end === -1 ? list : list.slice(0, end)
}
