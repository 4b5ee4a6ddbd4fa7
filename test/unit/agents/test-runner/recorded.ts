import { readFileSync } from 'node:fs'

/** What a test tool printed, from `test/fixtures/test-output`. */
export const recorded = (name: string): string =>
  readFileSync(new URL(`../../../fixtures/test-output/${name}`, import.meta.url), 'utf8')
