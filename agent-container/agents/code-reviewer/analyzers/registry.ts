import type { Analyzer } from '../analyzer.ts'
import { javascript } from './javascript.ts'
import { patterns } from './patterns.ts'
import { python } from './python.ts'
import { secrets } from './secrets.ts'

/** In the order in which they run: what secrets finds is masked in all that others say. */
export const analyzers: readonly Analyzer[] = [secrets, javascript, python, patterns]
