import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import codeReviewer from '#agent/agents/code-reviewer/agent.ts'
import releaseNotes from '#agent/agents/release-notes/agent.ts'
import testRunner from '#agent/agents/test-runner/agent.ts'
import { manifestOf } from '#agent/runner/manifest.ts'
import { problemsOf, whatIsKnown } from './definitions.ts'

const folder = new URL('../../../workflows/', import.meta.url)
const offered = [codeReviewer, releaseNotes, testRunner].flatMap((agent) => manifestOf(agent).capabilities)
const known = whatIsKnown({ capabilities: new Map(offered.map((one) => [one.name, one])) })

it.each(readdirSync(folder))('%s fits the agents that come with it', (file) => {
  expect(problemsOf(readFileSync(new URL(file, folder), 'utf8'), known)).toEqual([])
})
