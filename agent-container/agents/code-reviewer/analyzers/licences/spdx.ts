import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const satisfies = require('spdx-satisfies') as (expression: string, approved: string[]) => boolean
const current = require('spdx-license-ids') as string[]
const deprecated = require('spdx-license-ids/deprecated') as string[]

/** Whoever distributes a program with such a part must give all of it away under the same terms, or may not sell it. */
const strongCopyleft = /^(A?GPL|GFDL|SSPL|OSL|RPL|EUPL|CECILL-[12]|QPL|Sleepycat|CC-BY-SA|CC-BY-NC)/i
const harmless = [...current, ...deprecated].filter((id) => !strongCopyleft.test(id))

export type Judgement = 'fine' | 'copyleft' | 'unclear'

/** A licence that only its own text explains. */
const ownText = /LicenseRef-|DocumentRef-/

const judged = new Map<string, Judgement>()

/** What an SPDX expression asks of a program that contains the part; `unclear` when it is no such expression. */
export const judge = (expression: string): Judgement => {
  const known = judged.get(expression) ?? judgeAnew(expression)
  judged.set(expression, known)
  return known
}

const judgeAnew = (expression: string): Judgement => {
  try {
    const fine = satisfies(expression, harmless)
    // An exception is there to allow just this.
    if (fine || / WITH /i.test(expression)) return 'fine'
    return ownText.test(expression) ? 'unclear' : 'copyleft'
  } catch {
    return 'unclear'
  }
}

/** Whether a licence is one that the SPDX list has, or a combination of such. */
export const isSpdx = (expression: string): boolean => judge(expression) !== 'unclear' || ownText.test(expression)
