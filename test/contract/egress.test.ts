import { createEgress } from '#shared/platform/egress.ts'
import { egressContract } from './egress-contract.ts'

egressContract('calls to other systems, on every host', createEgress)
