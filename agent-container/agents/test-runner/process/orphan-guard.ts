import { spawn } from 'node:child_process'

/** Waits for a line on its input; when the input ends without one, whoever held the other end is gone. */
const script = 'read line || kill -s KILL -- "-$1" 2>/dev/null'

/**
 * Ends a process group when this process dies without having been able to: killed for its memory, for example.
 * `release` lets the group be.
 */
export const guardGroup = (group: number): { release(): void } => {
  const guard = spawn('/bin/sh', ['-c', script, 'sh', String(group)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: {},
  })
  guard.on('error', () => {})
  guard.stdin.on('error', () => {})
  return { release: () => void guard.stdin.end('released\n') }
}
