/** The language of workflows, loaded with the first definition: a server that runs what it has does not carry it. */
export const loadLanguage = async () => {
  const [{ validate }, { namedBy }, { readStored }, { compileWorkflow }] = await Promise.all([
    import('./validate/validate.ts'),
    import('./validate/named-by.ts'),
    import('./validate/read-stored.ts'),
    import('./compile/compile-workflow.ts'),
  ])
  return { validate, namedBy, readStored, compileWorkflow }
}
