/** The process of one analyzer: asked once, tells, and ends; it ends as well when whoever asked is gone. */
import { type Analyzer, type Subject, Unavailable } from '../analyzer.ts'
import { readSource } from '../source/read-source.ts'
import type { Request, Telling } from './protocol.ts'

/** Arrives in the order of the calls; awaited where more would pile up. */
const tell = (told: Telling): Promise<void> => new Promise((resolve) => process.send?.(told, () => resolve()))

const analyze = async ({ module, name, ...request }: Request): Promise<Telling> => {
  const exported = (await import(module)) as Record<string, Analyzer | undefined>
  const analyzer = exported[name]
  if (!analyzer) return { kind: 'failed', message: `${module} exports no ${name}`, unavailable: false }
  for await (const remark of analyzer.run(toSubject(request))) await tell({ kind: 'remark', remark })
  return { kind: 'done' }
}

/** What is wanted, and when it is enough, is decided by whoever asked. */
const toSubject = ({ folder, files, scratch }: Pick<Request, 'folder' | 'files' | 'scratch'>): Subject => ({
  folder,
  files,
  everything: files,
  scratch,
  signal: new AbortController().signal,
  concerns: () => true,
  read: (file) => readSource(folder, file),
  advance: (count) => void tell({ kind: 'advance', files: count }),
  note: (text) => void tell({ kind: 'note', text }),
  mask: (secret) => void tell({ kind: 'mask', secret }),
})

const toFailure = (error: unknown): Telling => ({
  kind: 'failed',
  message: error instanceof Error ? error.message : String(error),
  unavailable: error instanceof Unavailable,
})

process.on('disconnect', () => process.exit())
process.once('message', async (request: Request) => {
  await tell(await analyze(request).catch(toFailure))
  process.disconnect()
})
