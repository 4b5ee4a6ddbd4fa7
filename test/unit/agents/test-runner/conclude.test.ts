import { describe, expect, it } from 'vitest'
import { conclude } from '#agent/agents/test-runner/conclude.ts'
import type { Report } from '#agent/agents/test-runner/formats/report.ts'
import type { Ending } from '#agent/agents/test-runner/process/run-command.ts'

type Facts = Parameters<typeof conclude>[0]
const exit = (code: number): Ending => ({ kind: 'exit', code, killedBy: null })
const report = (passed: number, failed = 0, skipped = 0): Report => ({
  ...{ passed, failed, skipped },
  failures: Array.from({ length: failed }, (_one, at) => ({ name: `test ${at}`, message: 'no' })),
})
const facts = (given: Partial<Facts>): Facts => ({
  command: ['npm', 'test'],
  ending: exit(0),
  text: given.tail ?? '',
  tail: '',
  report: undefined,
  durationMs: 5,
  uninstalled: false,
  timeoutSeconds: 600,
  memoryMb: 3072,
  ...given,
})
const statusOf = (given: Partial<Facts>) => conclude(facts(given)).status
const reasonOf = (given: Partial<Facts>) => conclude(facts(given)).reason

describe('the status', () => {
  it.each<[string, Partial<Facts>, string]>([
    ['tests that passed', { report: report(3) }, 'passed'],
    ['tests that failed', { ending: exit(1), report: report(3, 1) }, 'failed'],
    ['tests that failed under an exit code of 0', { report: report(3, 1) }, 'failed'],
    ['tests that passed under another exit code', { ending: exit(1), report: report(3) }, 'failed'],
    ['an unknown format that ends well', {}, 'passed'],
    ['an unknown format that does not', { ending: exit(1), tail: 'oh no' }, 'failed'],
    ['a death by signal', { ending: { kind: 'exit', code: null, killedBy: 'SIGSEGV' } }, 'failed'],
    ['only skipped tests', { report: report(0, 0, 2) }, 'passed'],
    ['no test at all', { report: report(0) }, 'no-tests'],
    ['pytest without tests', { ending: exit(5), report: report(0), tail: 'no tests ran in 0.01s' }, 'no-tests'],
    ['vitest without tests', { ending: exit(1), tail: 'No test files found, exiting with code 1' }, 'no-tests'],
    ['a time-out', { ending: { kind: 'timeout' }, report: report(2, 1) }, 'timeout'],
    ['too much memory', { ending: { kind: 'memory' } }, 'error'],
    ['a missing program', { ending: { kind: 'not-started', message: 'ENOENT' } }, 'toolchain-missing'],
    ['a missing program of a script', { ending: exit(127), tail: 'sh: 1: make: not found' }, 'toolchain-missing'],
    [
      'a missing Rust',
      { ending: exit(1), tail: 'error: rustup could not choose a version of cargo to run' },
      'toolchain-missing',
    ],
  ])('of %s', (_what, given, status) => {
    expect(statusOf(given)).toBe(status)
  })
})

describe('dependencies that were not installed', () => {
  it.each([
    'sh: 1: vitest: not found',
    'bash: line 1: jest: command not found',
    "Error: Cannot find module 'express'",
    "Error [ERR_MODULE_NOT_FOUND]: Cannot find package '@scope/thing' imported from /repo/a.js",
    '/usr/bin/python3: No module named pytest',
    'a.go:3:8: no required module provides package github.com/x/y; to add it',
    'go: github.com/x/y@v1.0.0: module lookup disabled by GOPROXY=off',
    'error: no matching package named `serde` found',
    'Local package.json exists, but node_modules missing, did you mean to install?',
  ])('are recognised in %j', (tail) => {
    expect(statusOf({ ending: exit(1), tail, uninstalled: true })).toBe('error')
    expect(reasonOf({ ending: exit(1), tail, uninstalled: true })).toContain('pass install: true')
  })

  it('are not blamed when they were installed, or when tests passed', () => {
    const tail = "Error: Cannot find module 'express'"
    expect(statusOf({ ending: exit(1), tail })).toBe('failed')
    expect(statusOf({ ending: exit(1), tail, uninstalled: true, report: report(5, 1) })).toBe('failed')
  })

  it('are not blamed for a file of the project that is missing', () => {
    expect(statusOf({ ending: exit(1), tail: "Error: Cannot find module './lib/a'", uninstalled: true })).toBe('failed')
  })
})

it('makes the last words of a command its failure when no test is known to have failed', () => {
  expect(conclude(facts({ ending: exit(2), report: report(4), tail: 'coverage is too low' }))).toEqual({
    status: 'failed',
    reason: 'exit code 2, and no failed test was recognised',
    report: { passed: 4, failed: 1, skipped: 0, failures: [{ name: 'npm test', message: 'coverage is too low' }] },
  })
})
