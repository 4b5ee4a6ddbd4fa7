import {
  acknowledgedSchema,
  acknowledgeMailSchema,
  deadMailPageSchema,
  mailboxSchema,
  mailPageSchema,
  receiveMailQuery,
  redriveMailSchema,
} from '../mailboxes.ts'
import { listQueuesQuery } from '../queues.ts'
import { redrivenSchema } from '../topics.ts'
import { admins, type Operation, workers } from './operation.ts'

export const mailboxOperations = {
  getMailbox: {
    method: 'GET',
    path: '/mailboxes/{agent}',
    tag: 'Messages',
    summary: 'Get how full the mailbox of an agent is',
    audience: workers,
    answers: { 200: { description: 'The mailbox.', schema: mailboxSchema } },
    refusals: ['FORBIDDEN'],
  },
  receiveMail: {
    method: 'GET',
    path: '/mailboxes/{agent}/messages',
    tag: 'Messages',
    summary: 'Receive messages of a mailbox',
    description:
      'In order per conversation. Each is kept from others until it is acknowledged or its time of visibility is over, and comes again then. With `Prefer: wait=N` the answer is held up to N seconds for the first one.',
    audience: workers,
    headers: ['Prefer'],
    query: receiveMailQuery,
    answers: { 200: { description: 'The messages, the longest waiting first.', schema: mailPageSchema } },
  },
  acknowledgeMail: {
    method: 'POST',
    path: '/mailboxes/{agent}/ack',
    tag: 'Messages',
    summary: 'Acknowledge messages of a mailbox',
    description: 'They are done and never come again.',
    audience: workers,
    body: acknowledgeMailSchema,
    answers: { 200: { description: 'Those that are done.', schema: acknowledgedSchema } },
  },
  listDeadMail: {
    method: 'GET',
    path: '/mailboxes/{agent}/dead-letters',
    tag: 'Messages',
    summary: 'List the dead letters of a mailbox',
    audience: workers,
    query: listQueuesQuery,
    answers: { 200: { description: 'A page of them with their reasons, newest first.', schema: deadMailPageSchema } },
  },
  redriveMail: {
    method: 'POST',
    path: '/mailboxes/{agent}/redrive',
    tag: 'Messages',
    summary: 'Put dead letters of a mailbox back into it',
    description:
      'They come when they come: their turn in a conversation has passed. Those of an agent that is decommissioned go to the one that has its name now.',
    audience: admins,
    body: redriveMailSchema,
    bodyOptional: true,
    answers: { 202: { description: 'How many wait again.', schema: redrivenSchema } },
    refusals: ['CONFLICT'],
  },
} as const satisfies Record<string, Operation>
