import type { Seeded } from '../engine/random.ts'
import type { Asking, Reply } from './call-api.ts'

type Mail = { position: string; message: { id: string; kind?: string } }
type Ask = (operation: Asking['operation'], more: Partial<Asking>) => Promise<Reply>
type Reader = { agent: string; random: Seeded; sleep: (ms: number) => Promise<void>; ask: Ask }

/** Answers a request, sometimes with a second thought, which comes too late. */
const answer = async ({ ask, random }: Reader, message: string): Promise<void> => {
  for (let thought = 0; thought === 0 || random.chance(0.2); thought++)
    await ask('replyToMessage', { params: { message }, body: { data: { thought: random.below(1000) } } })
}

/** What was read is done: message by message, or up to the last one. What is not said so comes again. */
const settle = async ({ agent, ask, random }: Reader, mail: Mail[]): Promise<void> => {
  const last = mail.at(-1)
  if (last === undefined || random.chance(0.15)) return
  const ids = mail.map(({ message }) => message.id)
  const body = random.chance(0.7) ? { ids } : { upTo: last.position }
  await ask('acknowledgeMail', { params: { agent }, body })
}

/** Reads the mailbox of an agent, on and on. */
export const readMail = async (reader: Reader): Promise<void> => {
  const { agent, random, sleep, ask } = reader
  for (;;) {
    await sleep(random.between(2000, 20_000))
    const query = { max: 1 + random.below(5), visibilitySeconds: 10 + random.below(30) }
    const { status, body } = await ask('receiveMail', { params: { agent }, query, wait: random.pick([0, 2]) })
    const mail = status === 200 ? (body.items as Mail[]) : []
    for (const { message } of mail) if (message.kind === 'request') await answer(reader, message.id)
    await sleep(random.between(0, 3000))
    await settle(reader, mail)
  }
}
