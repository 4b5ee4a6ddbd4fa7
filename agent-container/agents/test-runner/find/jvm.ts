import { dependenciesMissing, exists, type Finder, firstExisting, type Plan } from './plan.ts'

type Tool = { name: string; manifests: string[]; wrapper: string; args: string[]; reports: RegExp }

const tools: Tool[] = [
  {
    name: 'mvn',
    manifests: ['pom.xml'],
    wrapper: 'mvnw',
    args: ['--batch-mode', '--no-transfer-progress', '--fail-at-end', 'test'],
    reports: /(^|\/)target\/surefire-reports\/TEST-[^/]+\.xml$/,
  },
  {
    name: 'gradle',
    manifests: ['build.gradle', 'build.gradle.kts', 'settings.gradle', 'settings.gradle.kts'],
    wrapper: 'gradlew',
    args: ['test', '--continue', '--no-daemon', '--console=plain'],
    reports: /(^|\/)build\/test-results\/.+\/TEST-[^/]+\.xml$/,
  },
]

/** Maven and Gradle resolve plugins before they test anything, so neither works without an installation. */
const planFor = async (folder: string, tool: Tool, manifest: string, install: boolean): Promise<Plan> => ({
  source: manifest,
  command: [...((await exists(folder, tool.wrapper)) ? ['sh', tool.wrapper] : [tool.name]), ...tool.args],
  install: [],
  needs: ['java'],
  reports: { format: 'junit-xml', files: tool.reports },
  ...(!install && {
    blocked: { status: 'error', reason: dependenciesMissing(`${tool.name} has no plugins in the workspace`) },
  }),
})

/** `pom.xml`, or a Gradle build; the project's own wrapper goes before a program of the host. */
export const findJvm: Finder = async ({ folder, install }) => {
  for (const tool of tools) {
    const manifest = await firstExisting(folder, tool.manifests)
    if (manifest !== undefined) return planFor(folder, tool, manifest, install)
  }
  return undefined
}
