import { stripVTControlCharacters } from 'node:util'
import * as z from 'zod'
import type { Report, TestFailure } from './report.ts'
import { messageOfStack, placeInFile } from './stack-frames.ts'

const assertion = z.object({
  status: z.string(),
  title: z.string(),
  ancestorTitles: z.array(z.string()),
  failureMessages: z.array(z.string()).nullish(),
})
const testFile = z.object({
  name: z.string(),
  status: z.string(),
  message: z.string().nullish(),
  assertionResults: z.array(assertion),
})
const jestReport = z.object({ testResults: z.array(testFile) })

const failureOf = (file: string, test: z.infer<typeof assertion>): TestFailure => {
  const stack = stripVTControlCharacters(test.failureMessages?.[0] ?? '')
  return {
    name: [...test.ancestorTitles, test.title].join(' > '),
    message: messageOfStack(stack),
    ...placeInFile(file, stack),
  }
}

const isBroken = (file: z.infer<typeof testFile>) => file.status === 'failed' && file.assertionResults.length === 0

const brokenFile = ({ name, message: colored }: z.infer<typeof testFile>): TestFailure => {
  const message = stripVTControlCharacters(colored ?? '')
  return {
    name,
    message: messageOfStack(message).replace(/^● Test suite failed to run\s+/, '') || 'the file could not be run',
    ...placeInFile(name, message),
  }
}

/** The JSON report of jest, which vitest writes as well; `undefined` when the text is something else. */
export const parseJestJson = (json: string): Report | undefined => {
  const parsed = jestReport.safeParse(parseJson(json))
  if (!parsed.success) return undefined
  const files = parsed.data.testResults
  const tests = files.flatMap((file) => file.assertionResults.map((test) => ({ file: file.name, test })))
  const failures = [
    ...files.filter(isBroken).map(brokenFile),
    ...tests.filter(({ test }) => test.status === 'failed').map(({ file, test }) => failureOf(file, test)),
  ]
  const passed = tests.filter(({ test }) => test.status === 'passed').length
  const failed = failures.length
  const skipped = tests.length - passed - tests.filter(({ test }) => test.status === 'failed').length
  return { passed, failed, skipped, failures }
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
