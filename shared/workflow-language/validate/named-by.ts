import type { Definition } from '#shared/contracts/workflows/definition.ts'
import { agentsOf } from './check-agents.ts'
import { capabilitiesOf } from './check-capabilities.ts'
import { queuesOf } from './check-queues.ts'
import { startsOf } from './check-workflows.ts'
import type { Start } from './known.ts'
import type { PlacedName } from './works-of.ts'

/** What a definition names that is none of it. */
export type Named = { agents: string[]; capabilities: string[]; queues: string[]; starts: Start[] }

const namesIn = (placed: PlacedName[]): string[] => [...new Set(placed.map(({ name }) => name))]

export const namedBy = (definition: Definition): Named => ({
  agents: namesIn(agentsOf(definition)),
  capabilities: namesIn(capabilitiesOf(definition)),
  queues: namesIn(queuesOf(definition)),
  starts: startsOf(definition),
})
