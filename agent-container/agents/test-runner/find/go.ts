import { createGoJsonReader } from '../formats/go-json.ts'
import { type Finder, readText } from './plan.ts'

/** `go.mod`: all packages, as events. Go fetches modules by itself when it may. */
export const findGo: Finder = async ({ folder }) => {
  const manifest = await readText(folder, 'go.mod')
  const module = /^module\s+"?([^\s"]+)/m.exec(manifest)?.[1]
  if (module === undefined) return undefined
  return {
    source: 'go.mod',
    command: ['go', 'test', '-json', './...'],
    install: [['go', 'mod', 'download']],
    events: () => createGoJsonReader({ module }),
  }
}
