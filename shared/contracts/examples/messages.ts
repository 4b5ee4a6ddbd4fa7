import { type Example, ids, pageOf, times } from './example.ts'

const wish = {
  to: { topic: 'builds.main' },
  type: 'build.finished',
  source: 'ci',
  subject: 'shop',
  data: { ok: false, seconds: 93 },
}
const { data, ...sent } = wish

const queue = {
  name: 'reviews',
  visibilitySeconds: 30,
  maxReceives: 5,
  createdAt: times.created,
}
const depth = { waiting: 12, inFlight: 2, dead: 1 }

const envelope = {
  specversion: '1.0',
  id: ids.message,
  source: 'ci',
  type: 'build.finished',
  subject: 'shop',
  time: times.created,
  datacontenttype: 'application/json',
  tenantid: 'default',
}
const receipt = `${ids.letter}.01KB2V7Q5W8S5ZK3M9N1P4R6TF`
const settled = { items: [{ receipt, ok: true }] }

export const messageExamples = {
  sendMessage: { body: wish, answer: { id: ids.message, ...sent, time: times.created } },
  createQueue: { body: { name: 'reviews' }, answer: queue },
  listQueues: { answer: pageOf(queue) },
  getQueue: { answer: { ...queue, depth } },
  deleteQueue: {},
  receiveMessages: {
    body: { max: 10 },
    answer: { messages: [{ receipt, receives: 1, visibleAt: times.finished, message: { ...envelope, data } }] },
  },
  acknowledgeMessages: { body: { receipts: [receipt] }, answer: settled },
  extendMessages: { body: { receipts: [receipt], visibilitySeconds: 300 }, answer: settled },
  listDeadLetters: {
    answer: pageOf({
      id: ids.letter,
      receives: 5,
      reason: { code: 'RECEIVES', message: 'it was received 5 times and never acknowledged' },
      message: envelope,
      createdAt: times.created,
    }),
  },
  redriveQueue: { body: { limit: 50 }, answer: { redriven: 1 } },
} satisfies Record<string, Example>
