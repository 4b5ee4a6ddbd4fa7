import { invalid } from '../domain-error.ts'
import type { Envelope } from './envelope.ts'

/** What a text of a CloudEvent is. https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#type-system */
export const attributeText = 'text without control characters'
export const isAttribute = (text: string): boolean => !/\p{Cc}/u.test(text)

/** Refuses what other systems say of a message, where it is none of a CloudEvent. */
export const requireAttributes = (envelope: Pick<Envelope, 'type' | 'source' | 'subject'>): void => {
  for (const name of ['type', 'source', 'subject'] as const)
    if (!isAttribute(envelope[name] ?? '')) throw invalid(`#/${name}`, 'ATTRIBUTE', `expected ${attributeText}`)
}
