import { type Example, ids, pageOf, times } from './example.ts'

const subscription = {
  id: ids.subscription,
  topic: 'builds.*',
  pattern: { type: ['build.finished'], data: { ok: [false], seconds: [{ numeric: ['>', 60] }] } },
  target: { capability: 'code.review', input: 'data' },
  createdAt: times.created,
}
const { id: _, createdAt: __, ...wish } = subscription

const match = {
  id: ids.match,
  message: ids.message,
  state: 'DELIVERED',
  tries: 1,
  became: ids.task,
  createdAt: times.created,
}

const replay = {
  id: ids.replay,
  subscription: ids.subscription,
  from: times.created,
  to: times.finished,
  state: 'RUNNING',
  matched: 0,
  createdAt: times.finished,
}

const hook = {
  id: ids.hookId,
  name: 'github',
  path: '/api/v2/hooks/github',
  scheme: 'github',
  topic: 'github',
  createdAt: times.created,
  updatedAt: times.created,
}
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

export const topicExamples = {
  createSubscription: { body: wish, answer: subscription },
  listSubscriptions: { answer: pageOf(subscription) },
  getSubscription: { answer: subscription },
  deleteSubscription: {},
  listMatches: { answer: pageOf(match) },
  redriveMatches: { body: { limit: 50 }, answer: { redriven: 1 } },
  startReplay: { body: { from: times.created }, answer: replay },
  getReplay: { answer: { ...replay, state: 'ENDED', matched: 12 } },
  createHook: { body: { name: 'github', scheme: 'github', topic: 'github' }, answer: { ...hook, secret } },
  listHooks: { answer: pageOf(hook) },
  getHook: { answer: hook },
  deleteHook: {},
  rotateHookSecret: { body: {}, answer: { ...hook, secret, previousSecretUntil: times.nextDay } },
  receiveHook: {
    body: { action: 'opened', number: 7, repository: { full_name: 'acme/shop' } },
    answer: { message: ids.message, duplicate: false },
  },
  listPresence: {
    answer: pageOf({
      connection: 'con_01J9ZK3V6Q8W2X4Y5Z7A9B1C3D',
      who: '/agents/code-reviewer',
      status: 'reviewing',
      since: times.created,
    }),
  },
  createSocketTicket: {
    answer: {
      ticket: 'pJ0m2n3QyqE0y6c4k9bK1m8wq2H6d5Yc7t1v3x9z0aA',
      expiresIn: 30,
      url: 'wss://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/live?ticket=pJ0m2n3QyqE0y6c4k9bK1m8wq2H6d5Yc7t1v3x9z0aA',
    },
  },
} satisfies Record<string, Example>
