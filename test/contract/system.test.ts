import { createSystemClock, createSystemRandom } from '#shared/platform/system.ts'
import { clockContract } from './clock-contract.ts'
import { randomContract } from './random-contract.ts'

clockContract('system', createSystemClock)
randomContract('system', createSystemRandom)
