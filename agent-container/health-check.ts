/** The container's health check: exit 0 while the runner answers `GET /ping`. */
const port = process.env.DEVCYCLE_HTTP_PORT ?? '8080'
const healthy = await fetch(`http://127.0.0.1:${port}/ping`, { signal: AbortSignal.timeout(4000) }).then(
  ({ ok }) => ok,
  () => false,
)
process.exit(healthy ? 0 : 1)
