import { createHash } from 'node:crypto'

const maxName = 80
const plain = /^[A-Za-z0-9_-]*$/

/**
 * A queue's name on SQS, which has letters, digits, `-` and `_` alone and 80 of them. A name that does not fit as it
 * is stays readable and is told apart by a digest.
 */
export const sqsName = (prefix: string, queue: string): string => {
  const name = `${prefix}-${queue.replaceAll(/[^A-Za-z0-9_-]/g, '-')}`
  if (plain.test(queue) && name.length <= maxName) return name
  const digest = createHash('sha256').update(queue).digest('hex').slice(0, 12)
  return `${name.slice(0, maxName - 13)}-${digest}`
}

const group = /^[\x21-\x7e]{1,128}$/

/** A fairness key as SQS takes it; one that does not fit is a digest. */
export const sqsGroup = (key: string): string =>
  group.test(key) ? key : createHash('sha256').update(key).digest('hex')
