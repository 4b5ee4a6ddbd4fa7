import type { Platform } from '../../platform/platform.ts'
import { changeLetter } from '../inboxes/change-letter.ts'
import { bury, type Letter } from '../inboxes/letter.ts'
import { lettersOf } from '../inboxes/letter-store.ts'
import { cancelBySystem } from '../tasks/cancel-children.ts'
import { taskOfLetter } from './handle-letter.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'queues' | 'telemetry' | 'clock' | 'random'>

const pageSize = 100

/** Nobody wants a message any more: whoever does not have it gets it not, and who works on it stops. */
export const withdrawMessage = async (ports: Ports, tenant: string, message: string, why: string): Promise<void> => {
  const { items } = await lettersOf(ports, { tenant, message, limit: pageSize })
  await Promise.all(items.map(({ value }) => withdraw(ports, value, why)))
}

const withdraw = async (ports: Ports, letter: Letter, why: string): Promise<void> => {
  await changeLetter(ports, letter, (current) => bury(current, ports.clock.now(), { code: 'WITHDRAWN', message: why }))
  if (letter.handled) await cancelBySystem(ports, letter.tenant, taskOfLetter(letter), why)
}
