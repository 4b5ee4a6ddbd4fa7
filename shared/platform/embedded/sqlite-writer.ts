/**
 * The writer thread: the only one that writes the database. Everything that waits shares one commit, and nothing is
 * answered before that commit is flushed.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import type { WriterAnswer, WriterReply, WriterRequest, WriterState } from './sqlite-messages.ts'
import { createRequestRunner } from './sqlite-requests.ts'
import { migrate, openDatabase } from './sqlite-schema.ts'
import { type Cells, ofCells } from './sqlite-wire.ts'

const port = parentPort
if (port === null) throw new Error('the SQLite writer runs as a worker thread')

const database = openDatabase((workerData as { file: string }).file)
migrate(database)
const runner = createRequestRunner(database)
const begin = database.prepare('BEGIN IMMEDIATE')
const commit = database.prepare('COMMIT')
const counts = { commits: 0, answered: 0 }

const inspect = (): WriterState => {
  const { synchronous } = database.prepare('PRAGMA synchronous').get() as { synchronous: number }
  const { journal_mode: journalMode } = database.prepare('PRAGMA journal_mode').get() as { journal_mode: string }
  return { synchronous, journalMode, ...counts }
}

const run = (request: WriterRequest): WriterAnswer | null => {
  switch (request.kind) {
    case 'write': {
      const conflicts = runner.write(request)
      return conflicts === undefined ? null : { value: conflicts }
    }
    case 'add':
      return { value: runner.add(request) }
    case 'purge':
      return { value: runner.purge(request) }
    case 'checkpoint':
      runner.saveCheckpoint(request.consumer, request.seq)
      return null
    case 'inspect':
      return { value: inspect() }
  }
}

const refused = (error: unknown): WriterAnswer =>
  error instanceof TypeError
    ? { refusal: { code: 'INVALID', message: error.message } }
    : { refusal: { code: 'UNAVAILABLE', message: `the write was not stored: ${String(error)}` } }

/** One commit for all; when one of them cannot be done, each gets a commit of its own, and only that one fails. */
const commitAll = (requests: WriterRequest[]): WriterReply['answers'] => {
  try {
    begin.run()
    const answers = requests.map(run)
    commit.run()
    counts.commits++
    return answers
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    runner.rewind()
    return requests.length === 1 ? [refused(error)] : requests.flatMap((request) => commitAll([request]))
  }
}

type Message = Cells | 'close'

/** Everything that has arrived until now. */
const drain = (first: Message): Message[] => {
  const messages = [first]
  for (let more = receiveMessageOnPort(port); more; more = receiveMessageOnPort(port)) messages.push(more.message)
  return messages
}

port.on('message', (first: Message) => {
  const messages = drain(first)
  const requests = messages.flatMap((message) => (message === 'close' ? [] : ofCells(message)))
  if (requests.length > 0) {
    const answers = commitAll(requests)
    counts.answered += answers.length
    port.postMessage({ answers, lastChange: runner.lastChange() } satisfies WriterReply)
  }
  if (messages.includes('close')) {
    database.close()
    port.close()
  }
})
port.postMessage(runner.lastChange())
