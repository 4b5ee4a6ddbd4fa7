import { startQueueServer } from '#test/support/fauxqs.ts'
import { runAwsContractSuites } from './aws-suites.ts'

runAwsContractSuites({
  label: 'fauxqs',
  suites: ['queues', 'objects'],
  endpoints: async () => {
    const { endpoint, stop } = await startQueueServer()
    return { sqs: endpoint, s3: endpoint, stop }
  },
  cannot: {
    queues: {
      'hands out what was sent': 'fauxqs refuses characters beyond U+FFFF, which SQS takes',
      'does not let a quiet group wait behind the backlog of a noisy one': 'fauxqs has no fair queues',
    },
    objects: {
      'takes one upload by an address, and no other content after it': 'fauxqs does not look at If-None-Match',
      'does not store what differs from the checksum that was signed': 'fauxqs does not compare checksums',
      'refuses an address that was changed, or is over': 'fauxqs does not check signatures',
    },
  },
})
