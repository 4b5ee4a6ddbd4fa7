import { existsSync } from 'node:fs'
import { mkdir, symlink } from 'node:fs/promises'
import { userInfo } from 'node:os'
import path from 'node:path'
import { findProgram } from './find-program.ts'

type Variables = Record<string, string | undefined>

/** Where toolchains are, and whom they trust: places, no secrets. A build cache only where the operator names one. */
const places = [
  ...[
    'JAVA_HOME',
    'GOROOT',
    'GOCACHE',
    'PYENV_ROOT',
    'PYENV_VERSION',
    'ASDF_DIR',
    'ASDF_DATA_DIR',
    'VOLTA_HOME',
    'NVM_DIR',
    'TZ',
  ],
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'NODE_EXTRA_CA_CERTS', 'PIP_CERT', 'REQUESTS_CA_BUNDLE', 'CARGO_HTTP_CAINFO'],
]
/** Where packages come from: handed on only to install, and only without a user name or password in them. */
const registries = [
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'],
  ...['npm_config_registry', 'PIP_INDEX_URL', 'PIP_FIND_LINKS', 'GOPROXY', 'GOSUMDB', 'GONOSUMDB'],
]
const offline = { GOPROXY: 'off', GOTOOLCHAIN: 'local', CARGO_NET_OFFLINE: 'true', RUSTUP_AUTO_INSTALL: '0' }

const quiet = {
  CI: '1',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  PIP_DISABLE_PIP_VERSION_CHECK: '1',
  PIP_NO_INPUT: '1',
  PYTHONUNBUFFERED: '1',
  CARGO_TERM_COLOR: 'never',
  COREPACK_ENABLE_DOWNLOAD_PROMPT: '0',
  npm_config_fund: 'false',
  npm_config_audit: 'false',
  npm_config_update_notifier: 'false',
}

const pick = (names: string[], from: Variables): Record<string, string> =>
  Object.fromEntries(names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]])))

const withoutCredentials = (variables: Record<string, string>) =>
  Object.fromEntries(Object.entries(variables).filter(([, value]) => !/:\/\/[^/]*@/.test(value)))

/** Without the folders a package manager puts in front: a repository must not find our own tools. */
const hostPath = ({ PATH = '' }: Variables): string[] =>
  PATH.split(path.delimiter).filter(
    (folder) => path.isAbsolute(folder) && !/node_modules[/\\].*bin$|node-gyp-bin$/.test(folder),
  )

/** rustup's proxies look for toolchains in the home folder, which is not the user's here. */
const rustup = ({ RUSTUP_HOME = path.join(userInfo().homedir, '.rustup') }: Variables): Record<string, string> =>
  existsSync(RUSTUP_HOME) ? { RUSTUP_HOME } : {}

export type Surroundings = {
  env: Record<string, string>
  /** Its `PATH`. */
  searchPath: string
  /** A folder outside the repository for reports and virtual environments. */
  scratch: string
}

/**
 * What a test may see of this machine: programs, language and places, and no variable that was not listed here.
 * Home, caches and temporary files are in the workspace.
 */
export const prepareSurroundings = async ({
  folder,
  install,
  from = process.env,
}: {
  folder: string
  install: boolean
  from?: Variables
}): Promise<Surroundings> => {
  const at = (name: string) => path.join(folder, name)
  for (const name of ['home', 'tmp', 'bin', 'scratch']) await mkdir(at(name), { recursive: true })
  const searchPath = [...hostPath(from), at('bin')].join(path.delimiter)
  const env = {
    ...quiet,
    ...pick(places, from),
    ...rustup(from),
    ...(install ? withoutCredentials(pick(registries, from)) : offline),
    PATH: searchPath,
    HOME: at('home'),
    TMPDIR: at('tmp'),
    LANG: from.LANG ?? 'C.UTF-8',
    // the JVM asks the system for the home folder, not the environment; it reads quotes
    JAVA_TOOL_OPTIONS: `"-Duser.home=${at('home')}"`,
    GRADLE_USER_HOME: path.join(at('home'), '.gradle'),
    // read-only modules could not be deleted with the workspace
    GOFLAGS: '-modcacherw',
    GOTELEMETRY: 'off',
  }
  if (!(await findProgram('node', searchPath))) await symlink(process.execPath, path.join(at('bin'), 'node'))
  return { env, searchPath, scratch: at('scratch') }
}
