import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Code } from 'aws-cdk-lib/aws-lambda'
import { buildSync } from 'esbuild'

const root = fileURLToPath(new URL('../', import.meta.url))
const functions = join(root, 'functions')
const output = join(root, 'cdk.out', 'functions')

/** CommonJS modules inside of an ESM bundle ask for `require`. */
const banner = "import { createRequire } from 'node:module';const require = createRequire(import.meta.url);"

let built = false

/** One run of esbuild for all functions: what they share is parsed once. */
const buildAll = (): void => {
  const folders = readdirSync(functions).filter((name) => existsSync(join(functions, name, 'handler.ts')))
  rmSync(output, { recursive: true, force: true })
  buildSync({
    entryPoints: Object.fromEntries(folders.map((name) => [`${name}/index`, join(functions, name, 'handler.ts')])),
    outdir: output,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    mainFields: ['module', 'main'],
    banner: { js: banner },
    logLevel: 'error',
  })
  built = true
}

/** The code of a function, everything bundled: the SDK too, so that its version is ours. */
export const functionCode = (folder: string): Code => {
  if (!built) buildAll()
  return Code.fromAsset(join(output, folder))
}
