import type { Subject } from '../analyzer.ts'

/** A tracked file, whether or not it is reviewed itself. */
export const readIfThere = (subject: Subject, path: string): Promise<string | undefined> =>
  subject.read({ path }).catch(() => undefined)
