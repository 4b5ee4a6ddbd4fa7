import { spawn } from 'node:child_process'

/**
 * Waits for a line on its input; when the input ends without one, whoever held the other end is gone. Where there is
 * a `/proc`, what has left the group is found by its mark.
 */
const script = `
read line && exit
kill -s KILL -- "-$1"
for file in $(grep -ls -- "$2" /proc/[0-9]*/environ); do
  pid=\${file#/proc/}
  kill -s KILL "\${pid%/environ}"
done`

/**
 * Ends a process group, and what carries its mark, when this process dies without having been able to: killed for its
 * memory, for example. `release` lets them be.
 */
export const guardGroup = (group: number, mark: string): { release(): void } => {
  const guard = spawn('/bin/sh', ['-c', script, 'sh', String(group), mark], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: {},
  })
  guard.on('error', () => {})
  guard.stdin.on('error', () => {})
  return { release: () => void guard.stdin.end('released\n') }
}
