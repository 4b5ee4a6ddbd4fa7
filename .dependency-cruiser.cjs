/** The arrows of docs/architecture.md, as rules. */
const ports = 'shared/platform/[^/]+\\.ts$'
const handlers = '^functions/[^/]+/handler\\.ts$'
const embeddedServer = '^cli/(server/|commands/start\\.ts$)'

const only = (name, from, to, comment) => ({
  name,
  comment,
  severity: 'error',
  from: typeof from === 'string' ? { path: from } : from,
  to: { path: '^(shared|functions|agent-container|cli|infra|console|bench|test)/', pathNot: `^(${to.join('|')})` },
})

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'what needs each other is one thing',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    only(
      'domain',
      '^shared/domain/',
      ['shared/domain/', 'shared/platform/(platform|platform-error|ulid)\\.ts$'],
      'the domain knows the ports and nothing of any host',
    ),
    only(
      'workflow-language',
      '^shared/workflow-language/',
      ['shared/workflow-language/', 'shared/contracts/'],
      'the language is checked and compiled the same everywhere',
    ),
    only('contracts', '^shared/contracts/', ['shared/contracts/', 'shared/domain/'], 'contracts know the domain alone'),
    only('ports', `^${ports}`, [ports], 'the ports know no host'),
    only('embedded', '^shared/platform/embedded/', ['shared/platform/embedded/', ports], 'hosts never know each other'),
    only('aws', '^shared/platform/aws/', ['shared/platform/aws/', ports], 'hosts never know each other'),
    only(
      'functions',
      { path: '^functions/', pathNot: handlers },
      ['functions/', 'shared/domain/', 'shared/contracts/', 'shared/workflow-language/', ports],
      'only entry files choose a host',
    ),
    only(
      'handlers',
      handlers,
      ['functions/', 'shared/domain/', 'shared/contracts/', ports, 'shared/platform/aws/'],
      'functions run on AWS',
    ),
    only('agents', '^agent-container/', ['agent-container/', 'shared/contracts/'], 'agents are clients'),
    only(
      'cli',
      { path: '^cli/', pathNot: embeddedServer },
      ['cli/', 'shared/contracts/', 'shared/workflow-language/'],
      'the CLI is a client; only the embedded server is more',
    ),
    only(
      'server',
      embeddedServer,
      [
        'cli/',
        'functions/',
        'shared/domain/',
        'shared/contracts/',
        'shared/workflow-language/',
        ports,
        'shared/platform/embedded/',
      ],
      'the embedded server is the second host',
    ),
    only(
      'infra',
      '^infra/',
      [
        'infra/',
        'shared/platform/aws/(table-definition|settings|state-machine-names|port-permissions)\\.ts$',
        'shared/workflow-language/',
        'shared/domain/workflows/workflow\\.ts$',
        'agent-container/.*/?settings\\.ts$',
      ],
      'infra names entry files by path, and compiles the workflows that ship',
    ),
    {
      name: 'domain-has-no-libraries',
      severity: 'error',
      comment: 'the domain is plain TypeScript',
      from: { path: '^shared/domain/' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-no-pkg'] },
    },
    {
      name: 'no-dev-dependencies',
      severity: 'error',
      comment: 'what users run needs what users install',
      from: { path: '^(shared|functions|agent-container|cli)/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg'],
        dependencyTypesNot: ['type-only'],
        pathNot: '^node_modules/@types/',
      },
    },
    {
      name: 'not-resolvable',
      severity: 'error',
      comment: 'what is imported exists',
      from: {},
      to: { couldNotResolve: true, pathNot: '^(aws-lambda|sarif)$' }, // packages of types alone
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.json'],
    },
  },
}
