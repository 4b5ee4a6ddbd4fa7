import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Code } from 'aws-cdk-lib/aws-lambda'
import { buildSync } from 'esbuild'

const functions = fileURLToPath(new URL('../functions/', import.meta.url))

/** CommonJS modules inside of an ESM bundle ask for `require`. */
const banner = "import { createRequire } from 'node:module';const require = createRequire(import.meta.url);"

/** A folder for each function. Names stay as they are, so that stack traces can be read. */
const buildAll = (outdir: string): void => {
  const folders = readdirSync(functions).filter((name) => existsSync(join(functions, name, 'handler.ts')))
  buildSync({
    entryPoints: Object.fromEntries(folders.map((name) => [`${name}/index`, join(functions, name, 'handler.ts')])),
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    minifySyntax: true,
    minifyWhitespace: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    mainFields: ['module', 'main'],
    banner: { js: banner },
    logLevel: 'error',
  })
}

let built: string | undefined

/**
 * The code of a function with everything it imports, the SDK too, so that its version is ours. All functions are
 * built by one run of esbuild: `NodejsFunction` starts npm and esbuild for each of them, which takes longer than the
 * rest of the synthesis together.
 */
export const functionCode = (folder: string): Code => {
  if (built === undefined) {
    const outdir = mkdtempSync(join(tmpdir(), 'devcycle-functions-'))
    process.once('exit', () => rmSync(outdir, { recursive: true, force: true }))
    buildAll(outdir)
    built = outdir
  }
  return Code.fromAsset(join(built, folder))
}
