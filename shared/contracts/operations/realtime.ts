import { listPresenceQuery, presencePageSchema, ticketSchema } from '../realtime.ts'
import { type Operation, people } from './operation.ts'

export const realtimeOperations = {
  createSocketTicket: {
    method: 'POST',
    path: '/ws/ticket',
    tag: 'Realtime',
    summary: 'Get a ticket for a socket',
    description:
      'For clients that cannot send a header with a WebSocket, as browsers: it opens one connection for the caller within 30 seconds.',
    audience: people,
    answers: { 201: { description: 'The ticket, and where to connect with it.', schema: ticketSchema } },
  },
  listPresence: {
    method: 'GET',
    path: '/presence',
    tag: 'Realtime',
    summary: 'List who is there',
    description: 'Open sockets that said what they do, by a `presence` frame.',
    audience: people,
    query: listPresenceQuery,
    answers: { 200: { description: 'A page of them, the longest open first.', schema: presencePageSchema } },
  },
} as const satisfies Record<string, Operation>
