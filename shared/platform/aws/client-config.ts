/** What all clients share: kept connections, and no call that hangs. */
const connectionTimeout = 2000
/** A long poll is silent for 20 s; nothing else is silent for long. */
const socketTimeout = { quick: 6000, patient: 30_000 }
/** Enough for all lanes and workers of a process at once. */
const maxSockets = 200

const withTimeout = (ms: number) => ({
  requestHandler: {
    connectionTimeout,
    socketTimeout: ms,
    httpAgent: { keepAlive: true, maxSockets },
    httpsAgent: { keepAlive: true, maxSockets },
  },
})

/** For calls that answer at once. The SDK repeats what failed in passing; `back-off.ts` does what it does not know. */
export const quickConfig = { ...withTimeout(socketTimeout.quick), maxAttempts: 4 }
/** For long polls, uploads and downloads, and functions that work before they answer. */
export const patientConfig = { ...withTimeout(socketTimeout.patient), maxAttempts: 4 }
