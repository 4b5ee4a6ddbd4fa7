import { XMLParser, XMLValidator } from 'fast-xml-parser'
import * as z from 'zod'
import type { Report, TestFailure } from './report.ts'
import { type Place, placeOfStack } from './stack-frames.ts'

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  textNodeName: 'text',
  htmlEntities: true,
  parseAttributeValue: false,
  parseTagValue: false,
  isArray: (name) => ['testsuite', 'testcase', 'failure', 'error', 'skipped'].includes(name),
})

const problem = z.union([
  z.string().transform((text) => ({ message: undefined, text })),
  z
    .object({ '@message': z.string().optional(), text: z.string().default('') })
    .transform((one) => ({ message: one['@message'], text: one.text })),
])
const testCase = z
  .object({
    '@name': z.string().default(''),
    '@classname': z.string().default(''),
    '@file': z.string().optional(),
    '@line': z.string().optional(),
    failure: z.array(problem).optional(),
    error: z.array(problem).optional(),
    skipped: z.array(z.unknown()).optional(),
  })
  .transform(({ '@name': name, '@classname': classname, '@file': file, '@line': line, failure, error, skipped }) => ({
    ...{ name, classname, file, line },
    problem: (failure ?? error)?.[0],
    skipped: skipped !== undefined,
  }))
type TestCase = z.infer<typeof testCase>

/** Every test case of the document, however deep its suites are nested. */
const casesIn = (node: unknown): TestCase[] => {
  if (Array.isArray(node)) return node.flatMap(casesIn)
  if (typeof node !== 'object' || node === null) return []
  return Object.entries(node).flatMap(([key, value]) => {
    if (key === 'testcase' && Array.isArray(value)) return value.flatMap((one) => testCase.safeParse(one).data ?? [])
    return key === 'testsuite' || key === 'testsuites' ? casesIn(value) : []
  })
}

const nameOf = ({ classname, name, file }: TestCase): string => {
  if (['', 'test', name, file].includes(classname)) return name
  return /\s|\.[cm]?[jt]sx?$/.test(classname) ? `${classname} > ${name}` : `${classname}.${name}`
}

const javaFrame = /^\s*at (?:[\w.]+\/)?([\w.$]+)\.[\w$<>]+\((\w+\.(?:java|kt|groovy|scala)):(\d+)\)$/
const pythonPlace = /^(\S+\.py):(\d+): /

const javaPlace = (lines: string[], classname: string): Place | undefined => {
  const frames = lines.map((line) => javaFrame.exec(line)).filter((frame) => frame !== null)
  const [, owner = '', file, line] =
    frames.find(([, name = '']) => name.split('$')[0] === classname.split('$')[0]) ?? []
  if (file === undefined) return undefined
  return { file: [...owner.split('.').slice(0, -1), file].join('/'), line: Number(line) }
}

const pythonLast = (lines: string[]): Place | undefined => {
  const match = lines
    .map((line) => pythonPlace.exec(line))
    .findLast((one) => one && !/\/lib\/python/.test(one[1] ?? ''))
  return match?.[1] ? { file: match[1], line: Number(match[2]) } : undefined
}

const placeOf = ({ classname, file, line }: TestCase, text: string): Partial<Place> => {
  const lines = text.split('\n')
  const place = pythonLast(lines) ?? javaPlace(lines, classname) ?? placeOfStack(text)
  if (place) return place
  return { ...(file && { file }), ...(file && line && { line: Number(line) }) }
}

/** pytest's collection error says nothing in its message: the lines that start with `E` do. */
const messageOf = (message: string | undefined, text: string): string => {
  const errors = text.split('\n').flatMap((line) => /^E {1,7}(.*)$/.exec(line)?.[1] ?? [])
  if (errors.length > 0) return errors.join('\n')
  return (message ?? text).trim()
}

const failureOf = (test: TestCase, { message, text }: { message?: string | undefined; text: string }): TestFailure => ({
  name: nameOf(test),
  message: messageOf(message, text),
  ...placeOf(test, text),
})

/** JUnit XML as surefire, Gradle, pytest, node and vitest write it; `undefined` when it is not well-formed. */
export const parseJunitXml = (xml: string): Report | undefined => {
  if (XMLValidator.validate(xml) !== true) return undefined
  const cases = casesIn(parser.parse(xml))
  const failures = cases.flatMap((test) => (test.problem ? [failureOf(test, test.problem)] : []))
  const skipped = cases.filter((test) => test.skipped && !test.problem).length
  return { passed: cases.length - failures.length - skipped, failed: failures.length, skipped, failures }
}
