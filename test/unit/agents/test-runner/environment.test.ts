import { mkdtemp, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { prepareSurroundings } from '#agent/agents/test-runner/process/environment.ts'
import { findProgram } from '#agent/agents/test-runner/process/find-program.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'surroundings-'))
})
afterEach(() => rm(folder, { recursive: true }))

const host = {
  PATH: '/clone/node_modules/.bin:/usr/bin:/bin:/usr/lib/node_modules/npm/bin/node-gyp-bin',
  HOME: '/home/ada',
  LANG: 'de_DE.UTF-8',
  JAVA_HOME: '/opt/java',
  AWS_SECRET_ACCESS_KEY: 'secret',
  GITHUB_TOKEN: 'secret',
  NPM_TOKEN: 'secret',
  SSH_AUTH_SOCK: '/run/agent.sock',
  NODE_OPTIONS: '--require=/home/ada/spy.js',
  HTTPS_PROXY: 'http://proxy.example.com:3128',
  PIP_INDEX_URL: 'https://ada:secret@pypi.example.com/simple',
  npm_config_registry: 'https://npm.example.com/',
}
const env = async (install: boolean) => (await prepareSurroundings({ folder, install, from: host })).env

it('hands on places and nothing that could be a secret', async () => {
  const seen = await env(false)
  expect(JSON.stringify(seen)).not.toMatch(/secret|agent\.sock|spy\.js|home\/ada/)
  expect(seen).toMatchObject({ LANG: 'de_DE.UTF-8', JAVA_HOME: '/opt/java', CI: '1' })
  expect(seen).toMatchObject({ HOME: path.join(folder, 'home'), TMPDIR: path.join(folder, 'tmp') })
})

it('names package registries to an installation only, and none that holds a password', async () => {
  expect(await env(false)).not.toHaveProperty('HTTPS_PROXY')
  const installing = await env(true)
  expect(installing).toMatchObject({
    HTTPS_PROXY: 'http://proxy.example.com:3128',
    npm_config_registry: 'https://npm.example.com/',
  })
  expect(installing).not.toHaveProperty('PIP_INDEX_URL')
})

it('keeps toolchains from fetching unless that was asked for', async () => {
  expect(await env(false)).toMatchObject({ GOPROXY: 'off', CARGO_NET_OFFLINE: 'true', GOTOOLCHAIN: 'local' })
  expect(await env(true)).not.toHaveProperty('CARGO_NET_OFFLINE')
})

it('leaves our own tools out of the search path', async () => {
  const { searchPath } = await prepareSurroundings({ folder, install: false, from: host })
  expect(searchPath).toBe(`/usr/bin:/bin:${path.join(folder, 'bin')}`)
})

it('offers the Node it runs on where the host has none', async () => {
  const { searchPath } = await prepareSurroundings({ folder, install: false, from: { PATH: '/nowhere' } })
  expect(await readlink((await findProgram('node', searchPath)) ?? '')).toBe(process.execPath)
})
