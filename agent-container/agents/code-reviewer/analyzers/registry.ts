import type { Analyzer } from '../analyzer.ts'
import { isolated } from '../isolation/isolated.ts'
import { duplicates } from './duplicates.ts'
import { javascript } from './javascript.ts'
import { licences } from './licences.ts'
import { lockfiles } from './lockfiles.ts'
import { patterns } from './patterns.ts'
import { python } from './python.ts'
import { secrets } from './secrets.ts'

const here = (file: string) => new URL(file, import.meta.url).href

/** In the order in which they run: what secrets finds is masked in all that others say. */
export const analyzers: readonly Analyzer[] = [
  isolated(secrets, here('./secrets.ts')),
  javascript,
  duplicates,
  isolated(patterns, here('./patterns.ts')),
  // Compiling WebAssembly twice, the second time well, takes longer than it saves, and three times the memory.
  isolated(python, here('./python.ts'), ['--liftoff-only']),
  lockfiles,
  licences,
]
