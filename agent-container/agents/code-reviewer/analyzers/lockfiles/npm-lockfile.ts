import * as z from 'zod'

const dependencies = z.record(z.string(), z.string())

const entrySchema = z.object({
  name: z.string().optional(),
  version: z.string().optional(),
  resolved: z.union([z.string(), z.boolean()]).optional(),
  integrity: z.string().optional(),
  license: z.unknown().optional(),
  link: z.boolean().optional(),
  inBundle: z.boolean().optional(),
  dev: z.boolean().optional(),
  dependencies: z.unknown().optional(),
  devDependencies: z.unknown().optional(),
  optionalDependencies: z.unknown().optional(),
})
export type NpmEntry = z.infer<typeof entrySchema>

const lockfileSchema = z.object({ packages: z.record(z.string(), entrySchema).optional() })

/** The packages of a `package-lock.json` since npm 7, by their folder; none of an older one. */
export const readNpmPackages = (content: string): Record<string, NpmEntry> => {
  const parsed = lockfileSchema.safeParse(JSON.parse(content))
  return parsed.success ? (parsed.data.packages ?? {}) : {}
}

/** The name of a package's folder, which is its own unless it is an alias. */
export const folderName = (folder: string): string =>
  folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length)

/** What a manifest, or the lockfile's copy of it, wants: name → range; those of a kind that is no record are none. */
export const wantedBy = (manifest: Record<string, unknown>): Map<string, string> =>
  new Map(
    ['optionalDependencies', 'devDependencies', 'dependencies'].flatMap((kind) =>
      Object.entries(dependencies.safeParse(manifest[kind]).data ?? {}),
    ),
  )
