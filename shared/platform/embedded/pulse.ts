import type { ChildProcess } from 'node:child_process'

/** How often a process is asked for a sign of life (ms), and how many answers in a row may fail to come. */
export const pulse = { everyMs: 5000, silentAfter: 4, deadAfter: 12 }

type Options = {
  child: ChildProcess
  /** @default pulse */
  times?: typeof pulse
  /** No sign of life: somebody else should do its work. */
  onSilent: () => void
  /** It lives after all. */
  onBack: () => void
  /** Silent for too long to be waited for. */
  onDead: () => void
}

/**
 * Asks a child process whether it still works, as a container's health check does: one that is stopped, or busy for
 * ever, does not end by itself. Counts questions, not time: a host that slept itself has asked nothing meanwhile.
 */
export const watchPulse = ({ child, times = pulse, onSilent, onBack, onDead }: Options): void => {
  let unanswered = 0
  child.on('message', (message: { type?: string }) => {
    if (message.type !== 'pong') return
    if (unanswered > times.silentAfter) onBack()
    unanswered = 0
  })
  const ask = (): void => {
    unanswered++
    if (unanswered === times.silentAfter + 1) onSilent()
    if (unanswered > times.deadAfter) onDead()
    else if (child.connected) child.send({ type: 'ping' }, () => undefined)
  }
  const timer = setInterval(ask, times.everyMs)
  timer.unref()
  child.once('exit', () => clearInterval(timer))
}
