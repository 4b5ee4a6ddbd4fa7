/** The arrows of docs/architecture.md, as rules. */
const only = (name, from, to, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: '^(shared|functions|agent-container|cli|infra|console|bench)/', pathNot: to },
})

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    only('domain', '^shared/domain/', '^shared/(domain/|platform/(platform|platform-error|ulid)\\.ts$)', 'the domain knows the ports and nothing of any host'),
    only('contracts', '^shared/contracts/', '^shared/(contracts|domain)/', 'contracts know the domain’s types alone'),
    only('ports', '^shared/platform/[^/]+\\.ts$', '^shared/platform/[^/]+\\.ts$', 'the ports know no host'),
    only('embedded', '^shared/platform/embedded/', '^shared/platform/(embedded/|[^/]+\\.ts$)', 'hosts never know each other'),
    only('aws', '^shared/platform/aws/', '^shared/platform/(aws/|[^/]+\\.ts$)', 'hosts never know each other'),
    only('functions', '^functions/(?!.*handler\\.ts$)', '^(functions/|shared/(domain|contracts)/|shared/platform/[^/]+\\.ts$)', 'only entry files choose a host'),
    only('handlers', '^functions/.*handler\\.ts$', '^(functions/|shared/(domain|contracts)/|shared/platform/([^/]+\\.ts$|aws/))', 'functions run on AWS'),
    only('agents', '^agent-container/', '^(agent-container/|shared/contracts/)', 'agents are clients'),
    only('cli', '^cli/(?!server/|commands/start\\.ts$)', '^(cli/|shared/contracts/)', 'the CLI is a client; only the embedded server is more'),
    only('server', '^cli/(server/|commands/start\\.ts$)', '^(cli/|functions/|shared/(domain|contracts)/|shared/platform/([^/]+\\.ts$|embedded/))', 'the embedded server is the second host'),
    only('infra', '^infra/', '^(infra/|shared/platform/aws/(table-definition|settings)\\.ts$)', 'infra names entry files by path'),
    {
      name: 'domain-has-no-libraries',
      severity: 'error',
      from: { path: '^shared/domain/' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-optional'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'], extensions: ['.ts', '.js', '.json'] },
  },
}
