import { type Example, ids, pageOf, times } from './example.ts'

const approval = {
  id: ids.approval,
  state: 'PENDING',
  task: ids.task,
  agent: 'deployer',
  capability: 'deploy.run',
  prompt: 'deploy 1.4.2 to production?',
  approvers: ['ann'],
  quorum: 1,
  onReject: 'fail',
  requestedAt: times.created,
  escalateTo: [],
  expiresAt: times.nextDay,
  decisions: [],
  history: [{ what: 'requested', by: `instance:${ids.instance}`, at: times.created }],
}
const decided = (state: string, verdict: string, what: string) => ({
  ...approval,
  state,
  decidedAt: times.finished,
  decisions: [{ by: 'key:ann', verdict, at: times.finished }],
  history: [...approval.history, { what, by: 'key:ann', at: times.finished }],
})

const webhook = {
  id: ids.webhook,
  url: 'https://example.com/hook',
  events: ['task.failed', 'task.cancelled'],
  state: 'ACTIVE',
  createdAt: times.created,
  updatedAt: times.created,
}
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const delivery = {
  id: ids.delivery,
  event: { specversion: '1.0', type: 'io.devcycle.task.failed.v1', subject: ids.task },
  state: 'DELIVERED',
  attempts: [{ at: times.finished, ms: 120, status: 204 }],
  createdAt: times.finished,
}

export const peopleExamples = {
  listApprovals: { answer: pageOf(approval) },
  getApproval: { answer: approval },
  approve: { body: { comment: 'after 18:00' }, answer: decided('APPROVED', 'approve', 'approved') },
  reject: { body: { comment: 'the tests are red' }, answer: decided('REJECTED', 'reject', 'rejected') },
  delegate: { body: { to: 'eve', from: 'ann' }, answer: { ...approval, approvers: ['eve'] } },
  createWebhook: {
    body: { url: 'https://example.com/hook', events: ['task.failed', 'task.cancelled'] },
    answer: { ...webhook, secret },
  },
  listWebhooks: { answer: pageOf(webhook) },
  getWebhook: { answer: webhook },
  patchWebhook: { body: { state: 'DISABLED' }, answer: { ...webhook, state: 'DISABLED' } },
  deleteWebhook: {},
  rotateWebhookSecret: { answer: { ...webhook, secret, previousSecretUntil: times.nextDay } },
  listDeliveries: { answer: pageOf(delivery) },
  redeliver: { answer: { ...delivery, state: 'PENDING', nextAttemptAt: times.finished } },
} satisfies Record<string, Example>
