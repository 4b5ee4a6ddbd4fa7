import { setTimeout as sleep } from 'node:timers/promises'
import { capability, defineAgent } from 'devcycle/agent'

/** A hundred processes that hold their slots. */
export default defineAgent({
  name: 'hundred',
  slots: 100,
  memoryMb: 200,
  capabilities: {
    'bench.hold': capability({
      handler: async (ctx) => {
        ctx.progress(1, 'holding')
        await sleep(600_000, undefined, { signal: ctx.signal })
        return null
      },
    }),
  },
})
