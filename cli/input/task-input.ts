import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { usageError } from '../failure.ts'
import { checkReadable } from './files.ts'

/** The value of `--input`: JSON, `@file`, or `-` for standard input. */
export const readInput = (given: string | undefined): Promise<unknown> => readJson(given, '--input')

/** The value of a flag that takes JSON. */
export const readJson = async (given: string | undefined, flag: string): Promise<unknown> => {
  if (given === undefined) return undefined
  if (given === '-') return parse(await text(process.stdin), 'standard input')
  if (!given.startsWith('@')) return parse(given, flag)
  const file = given.slice(1)
  checkReadable(file)
  return parse(readFileSync(file, 'utf8'), file)
}

const parse = (json: string, source: string): unknown => {
  try {
    return JSON.parse(json)
  } catch (error) {
    throw usageError(`${source} is not JSON: ${(error as Error).message}`)
  }
}

/** `key:value` or `key=value`, repeated, as an object. */
export const parseLabels = (labels: string[] = [], flag = '--label'): Record<string, string> => {
  const pairs = labels.map((label) => {
    const at = label.search(/[:=]/)
    if (at < 1) throw usageError(`${flag} ${label} is not key:value`)
    return [label.slice(0, at), label.slice(at + 1)] as const
  })
  const names = pairs.map(([name]) => name)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) throw usageError(`${flag} gives ${twice} twice; a label has one value`)
  return Object.fromEntries(pairs)
}

/** An input with further fields; only an object, or nothing, can take them. */
export const extendInput = (input: unknown, fields: Record<string, unknown>, flag: string): unknown => {
  if (input !== undefined && (input === null || typeof input !== 'object' || Array.isArray(input)))
    throw usageError(`${flag} adds to the input: --input must be an object, or be left out`)
  return { ...input, ...fields }
}
