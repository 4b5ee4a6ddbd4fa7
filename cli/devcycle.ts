#!/usr/bin/env node
import { keepCompiled } from './compile-cache.ts'

keepCompiled()
await import('./main.ts') // only what is loaded from here on is kept
