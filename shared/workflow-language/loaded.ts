/** The language of workflows, loaded with the first definition: a server that runs what it has does not carry it. */
export const loadLanguage = async () => {
  const [{ validate }, { agentsOf }, { capabilitiesOf }, { workflowsOf }, { compileWorkflow }] = await Promise.all([
    import('./validate/validate.ts'),
    import('./validate/check-agents.ts'),
    import('./validate/check-capabilities.ts'),
    import('./validate/check-workflows.ts'),
    import('./compile/compile-workflow.ts'),
  ])
  return { validate, agentsOf, capabilitiesOf, workflowsOf, compileWorkflow }
}
