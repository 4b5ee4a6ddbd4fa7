import * as z from 'zod'
import { repositoryInput } from '../repository/check-out.ts'

export const limits = {
  defaultTimeoutSeconds: 600,
  failures: 100,
  /** Characters of one failure's message. */
  message: 1000,
  /** Characters of the output's end. */
  output: 8000,
  /** Resident, of the command and all it starts. */
  memoryMb: 3072,
}

export const testsInput = z.strictObject({
  repository: repositoryInput,
  /**
   * The program and its arguments. No shell reads them: a string is cut at blanks, with quotes respected;
   * for a shell pass `["sh", "-c", "…"]`. Absent, the project's own test command is looked for.
   */
  command: z.union([z.string().min(1).max(10_000), z.array(z.string().max(10_000)).min(1).max(200)]).optional(),
  /** Installs the project's dependencies into the workspace first. @default false */
  install: z.boolean().default(false),
  /** For installation and tests together. @default 600, or what the task itself has left */
  timeoutSeconds: z.number().min(1).max(86_400).optional(),
})
export type TestsInput = z.infer<typeof testsInput>

export const testStatuses = ['passed', 'failed', 'no-tests', 'toolchain-missing', 'timeout', 'error'] as const
export type TestStatus = (typeof testStatuses)[number]

export const testsResult = z.object({
  /** `error`: the tests could not be run; `reason` says why. */
  status: z.enum(testStatuses),
  /** Whatever is not `passed` or `failed` has one; so has `passed` when the tests could not be counted. */
  reason: z.string().optional(),
  passed: z.int(),
  /** All of them, though `failures` holds the first hundred only. */
  failed: z.int(),
  skipped: z.int(),
  failures: z.array(
    z.object({
      name: z.string(),
      message: z.string(),
      /** From the repository's root. */
      file: z.string().optional(),
      line: z.int().optional(),
    }),
  ),
  /** Of the test command alone. */
  durationMs: z.int(),
  /** What was run; `null` when nothing was found to run. */
  command: z.array(z.string()).nullable(),
  /** The commit that was tested. */
  commit: z.string(),
  /** The end of what the command printed. */
  output: z.string(),
})
export type TestsResult = z.infer<typeof testsResult>
