import { type Example, ids, pageOf, times } from './example.ts'

const wish = {
  to: { topic: 'builds.main' },
  type: 'build.finished',
  source: 'ci',
  subject: 'shop',
  data: { ok: false, seconds: 93 },
}
const { data } = wish
const sent = { ...wish, id: ids.message, kind: 'event', time: times.created, state: 'SENT' }
const request = {
  id: ids.message,
  kind: 'request',
  to: { agent: 'upper' },
  type: 'letter.shout',
  source: '/keys/admin',
  time: times.created,
  expiresAt: times.nextDay,
  state: 'SENT',
  data: { text: 'hello' },
}
const letter = {
  inbox: 'upper',
  state: 'DONE',
  receives: 1,
  deliveredAt: times.created,
  settledAt: times.finished,
}
const response = {
  ...request,
  id: 'msg_01KB2V7Q5W8S5ZK3M9N1P4R6TA',
  kind: 'response',
  to: undefined,
  type: 'letter.shout.response',
  source: '/agents/upper',
  correlationId: ids.message,
  data: { text: 'HELLO' },
}

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
const position = '001769860800000.01KB2V7Q5W8S5ZK3M9N1P4R6TF'
const mail = { ...envelope, kind: 'event', conversation: 'release-7', data }
const settled = { items: [{ receipt, ok: true }] }

export const messageExamples = {
  sendMessage: { body: wish, answer: sent },
  listMessages: { answer: pageOf(sent) },
  getMessage: {
    answer: { ...request, response: { id: response.id, time: times.finished, late: false }, letters: [letter] },
  },
  listLetters: { answer: pageOf(letter) },
  replyToMessage: { body: { data: { text: 'HELLO' } }, answer: JSON.parse(JSON.stringify(response)) },
  getMailbox: { answer: { agent: 'upper', waiting: 12, inFlight: 2, dead: 1, most: 10_000 } },
  receiveMail: { answer: { items: [{ position, receives: 1, visibleAt: times.finished, message: mail }] } },
  acknowledgeMail: { body: { ids: [ids.message] }, answer: { acknowledged: [ids.message] } },
  listDeadMail: {
    answer: pageOf({
      receives: 5,
      reason: { code: 'RECEIVES', message: 'it was received 5 times and never acknowledged' },
      message: envelope,
      deadSince: times.finished,
    }),
  },
  redriveMail: { body: { ids: [ids.message] }, answer: { redriven: 1 } },
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
