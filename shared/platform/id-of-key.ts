import type { Key } from './platform.ts'

/** A key as one text, which no other key has. */
export const idOfKey = ({ pk, sk }: Key): string => `${pk.length} ${pk}${sk}`
