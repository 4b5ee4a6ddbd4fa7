import { exists, type Finder } from './plan.ts'

/** `Cargo.toml`: the whole workspace, all its binaries. Cargo fetches crates by itself when it may. */
export const findCargo: Finder = async ({ folder, install }) => {
  if (!(await exists(folder, 'Cargo.toml'))) return undefined
  return {
    source: 'Cargo.toml',
    command: ['cargo', 'test', '--workspace', '--no-fail-fast', ...(install ? [] : ['--offline'])],
    install: [['cargo', 'fetch']],
  }
}
