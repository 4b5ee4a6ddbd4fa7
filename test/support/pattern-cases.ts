/** A pattern, what it matches and what it does not; `$or` and all else as the documentation of EventBridge has it. */
export type PatternCase = { name: string; pattern: object; matches: object[]; not: object[] }

const files = (...names: string[]) => names.map((FileName) => ({ FileName }))
const states = (...all: unknown[]) => all.map((state) => ({ state }))

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html and the pages beside it. */
export const patternCases: PatternCase[] = [
  {
    name: 'equals, of several values one',
    pattern: { state: ['initializing', 'running'] },
    matches: states('initializing', 'running'),
    not: [...states('Running', 'stopped', '', null, 1, { a: 'running' }, []), {}],
  },
  {
    name: 'every field of several',
    pattern: { Location: ['New York'], Day: ['Monday'] },
    matches: [{ Location: 'New York', Day: 'Monday', more: 1 }],
    not: [{ Location: 'New York' }, { Location: 'New York', Day: 'Tuesday' }],
  },
  { name: 'empty', pattern: { LastName: [''] }, matches: [{ LastName: '' }], not: [{ LastName: null }, {}] },
  {
    name: 'null',
    pattern: { UserID: [null] },
    matches: [{ UserID: null }],
    not: [{ UserID: '' }, { UserID: 'null' }, {}],
  },
  {
    name: 'true, not its text',
    pattern: { ok: [true] },
    matches: [{ ok: true }],
    not: [{ ok: 'true' }, { ok: false }, { ok: 1 }],
  },
  { name: 'a number', pattern: { Price: [100] }, matches: [{ Price: 100 }], not: [{ Price: '100' }, { Price: 101 }] },
  {
    name: 'prefix',
    pattern: { Region: [{ prefix: 'us-' }] },
    matches: [{ Region: 'us-east-1' }, { Region: 'us-' }],
    not: [{ Region: 'eu-us-1' }, { Region: 5 }, { Region: null }, {}],
  },
  {
    name: 'prefix in any case',
    pattern: { service: [{ prefix: { 'equals-ignore-case': 'EventB' } }] },
    matches: [{ service: 'EventBridge' }, { service: 'EVENTBRIDGE' }, { service: 'eventb' }],
    not: [{ service: 'event' }, { service: 'my eventb' }],
  },
  {
    name: 'suffix',
    pattern: { FileName: [{ suffix: '.png' }] },
    matches: files('a.png', '.png'),
    not: files('a.PNG', 'png', 'a.png.txt'),
  },
  {
    name: 'suffix in any case',
    pattern: { FileName: [{ suffix: { 'equals-ignore-case': '.png' } }] },
    matches: files('a.png', 'a.PNG', 'a.pNg'),
    not: files('a.jpg'),
  },
  {
    name: 'equals in any case',
    pattern: { name: [{ 'equals-ignore-case': 'alice' }] },
    matches: [{ name: 'Alice' }, { name: 'ALICE' }],
    not: [{ name: 'alice ' }, { name: 'bob' }],
  },
  {
    name: 'anything but a string',
    pattern: { state: [{ 'anything-but': 'initializing' }] },
    matches: states('running', ''),
    not: [...states('initializing'), {}],
  },
  {
    name: 'anything but a number',
    pattern: { 'x-limit': [{ 'anything-but': 123 }] },
    matches: [{ 'x-limit': 124 }],
    not: [{ 'x-limit': 123 }, {}],
  },
  {
    name: 'anything but some strings',
    pattern: { state: [{ 'anything-but': ['stopped', 'overloaded'] }] },
    matches: states('running'),
    not: states('stopped', 'overloaded'),
  },
  {
    name: 'anything but some numbers',
    pattern: { 'x-limit': [{ 'anything-but': [100, 200, 300] }] },
    matches: [{ 'x-limit': 150 }],
    not: [{ 'x-limit': 100 }, { 'x-limit': 300 }],
  },
  {
    name: 'anything but in any case',
    pattern: { state: [{ 'anything-but': { 'equals-ignore-case': 'initializing' } }] },
    matches: states('running'),
    not: states('INITIALIZING', 'initializing'),
  },
  {
    name: 'anything but some in any case',
    pattern: { state: [{ 'anything-but': { 'equals-ignore-case': ['initializing', 'stopped'] } }] },
    matches: states('running'),
    not: states('INITIALIZING', 'Stopped'),
  },
  {
    name: 'anything but a prefix',
    pattern: { state: [{ 'anything-but': { prefix: 'init' } }] },
    matches: states('running', 'an init'),
    not: [...states('initializing', 'init'), {}],
  },
  {
    name: 'anything but some prefixes',
    pattern: { state: [{ 'anything-but': { prefix: ['init', 'error'] } }] },
    matches: states('running'),
    not: states('initializing', 'error-1'),
  },
  {
    name: 'anything but a suffix',
    pattern: { FileName: [{ 'anything-but': { suffix: '.txt' } }] },
    matches: files('a.png'),
    not: files('a.txt'),
  },
  {
    name: 'anything but some suffixes',
    pattern: { FileName: [{ 'anything-but': { suffix: ['.txt', '.rtf'] } }] },
    matches: files('a.png'),
    not: files('a.txt', 'a.rtf'),
  },
  {
    name: 'anything but a wildcard',
    pattern: { FilePath: [{ 'anything-but': { wildcard: '*/lib/*' } }] },
    matches: [{ FilePath: '/src/a' }],
    not: [{ FilePath: '/a/lib/b' }],
  },
  {
    name: 'anything but some wildcards',
    pattern: { FilePath: [{ 'anything-but': { wildcard: ['*/lib/*', '*/bin/*'] } }] },
    matches: [{ FilePath: '/src/a' }],
    not: [{ FilePath: '/a/lib/b' }, { FilePath: '/a/bin/b' }],
  },
  {
    name: 'numbers equal, below and in ranges',
    pattern: {
      'c-count': [{ numeric: ['>', 0, '<=', 5] }],
      'd-count': [{ numeric: ['<', 10] }],
      'x-limit': [{ numeric: ['=', 3.018e2] }],
    },
    matches: [
      { 'c-count': 5, 'd-count': 9.999, 'x-limit': 301.8 },
      { 'c-count': 0.000001, 'd-count': -3, 'x-limit': 301.8 },
    ],
    not: [
      { 'c-count': 0, 'd-count': 1, 'x-limit': 301.8 },
      { 'c-count': 5.000001, 'd-count': 1, 'x-limit': 301.8 },
      { 'c-count': '3', 'd-count': 1, 'x-limit': 301.8 },
      { 'c-count': 3, 'd-count': 1, 'x-limit': 302 },
    ],
  },
  {
    name: 'addresses of version 4',
    pattern: { 'source-ip': [{ cidr: '10.0.0.0/24' }] },
    matches: [{ 'source-ip': '10.0.0.0' }, { 'source-ip': '10.0.0.255' }],
    not: [{ 'source-ip': '10.0.1.0' }, { 'source-ip': 'somewhere' }, { 'source-ip': 10 }],
  },
  {
    name: 'addresses of version 6',
    pattern: { 'source-ip': [{ cidr: '2001:db8::/32' }] },
    matches: [{ 'source-ip': '2001:db8::1' }, { 'source-ip': '2001:db8:ffff::' }],
    not: [{ 'source-ip': '2001:db9::1' }, { 'source-ip': '10.0.0.1' }],
  },
  {
    name: 'exists',
    pattern: { ProductName: [{ exists: true }] },
    matches: [{ ProductName: 'a' }, { ProductName: null }, { ProductName: '' }, { ProductName: 0 }],
    not: [{}, { Name: 'a' }],
  },
  {
    name: 'does not exist',
    pattern: { ProductName: [{ exists: false }] },
    matches: [{ Name: 'a' }, {}],
    not: [{ ProductName: 'a' }, { ProductName: null }],
  },
  {
    name: 'exists on leaves alone',
    pattern: { 'c-count': [{ exists: false }] },
    matches: [{ 'c-count': { c1: 100 } }, { state: 'a' }],
    not: [{ 'c-count': 100 }],
  },
  {
    name: 'does not exist below something that is not there',
    pattern: { outer: { inner: [{ exists: false }] } },
    matches: [{ state: 'a' }, { outer: { other: 1 } }],
    not: [{ outer: { inner: 1 } }],
  },
  {
    name: 'wildcard',
    pattern: { FileName: [{ wildcard: 'dir/*.png' }] },
    matches: files('dir/a.png', 'dir/.png', 'dir/b/c.png'),
    not: files('dir/a.jpg', 'other/a.png', 'dirapng', 'dir.png'),
  },
  {
    name: 'wildcards in several places',
    pattern: { EventBusArn: [{ wildcard: 'arn:aws:events:us-east-1:*:event-bus/*' }] },
    matches: [{ EventBusArn: 'arn:aws:events:us-east-1:123456789012:event-bus/a' }],
    not: [{ EventBusArn: 'arn:aws:events:eu-west-1:123456789012:event-bus/a' }],
  },
  {
    name: 'an asterisk that is no wildcard',
    pattern: { text: [{ wildcard: 'a\\*b\\\\*' }] },
    matches: [{ text: 'a*b\\' }, { text: 'a*b\\c' }],
    not: [{ text: 'axb\\' }, { text: 'a*b' }],
  },
  {
    name: 'one of several patterns',
    pattern: { $or: [{ Location: ['New York'] }, { Day: ['Monday'] }] },
    matches: [{ Location: 'New York' }, { Day: 'Monday', Location: 'Paris' }],
    not: [{ Location: 'Paris', Day: 'Friday' }, {}],
  },
  {
    name: 'one of several patterns, and a field beside them',
    pattern: {
      source: ['aws.cloudwatch'],
      $or: [
        { metricName: ['CPUUtilization', 'ReadLatency'] },
        { metricType: ['MetricType'], namespace: ['AWS/EC2'], $or: [{ metricId: [1234] }, { spaceId: [1000] }] },
        { scope: ['Service'] },
      ],
    },
    matches: [
      { source: 'aws.cloudwatch', metricName: 'ReadLatency' },
      { source: 'aws.cloudwatch', metricType: 'MetricType', namespace: 'AWS/EC2', spaceId: 1000 },
    ],
    not: [
      { source: 'aws.ec2', metricName: 'ReadLatency' },
      { source: 'aws.cloudwatch', metricType: 'MetricType', namespace: 'AWS/EC2' },
      { source: 'aws.cloudwatch' },
    ],
  },
  {
    name: 'operators beside each other in $or',
    pattern: {
      $or: [
        { 'c-count': [{ numeric: ['>', 0, '<=', 5] }] },
        { 'd-count': [{ numeric: ['<', 10] }] },
        { 'x-limit': [{ numeric: ['=', 3.018e2] }] },
      ],
    },
    matches: [{ 'c-count': 1 }, { 'd-count': 1 }, { 'x-limit': 301.8 }],
    not: [{ 'c-count': 6, 'd-count': 10, 'x-limit': 1 }],
  },
  {
    name: 'lists that have a value in common',
    pattern: { resources: ['a', 'b', 'c'] },
    matches: [{ resources: ['x', 'c'] }, { resources: 'a' }],
    not: [{ resources: ['x'] }, { resources: [] }],
  },
  {
    name: 'all of one object of a list',
    pattern: { employees: { name: ['Ann'], role: ['lead'] } },
    matches: [
      {
        employees: [
          { name: 'Bob', role: 'dev' },
          { name: 'Ann', role: 'lead' },
        ],
      },
    ],
    not: [
      {
        employees: [
          { name: 'Ann', role: 'dev' },
          { name: 'Bob', role: 'lead' },
        ],
      },
    ],
  },
  {
    name: 'nested objects, and several operators of one field',
    pattern: {
      detail: {
        time: [{ prefix: '2017-10-02' }],
        state: [{ 'anything-but': 'initializing' }],
        code: ['x', { numeric: ['>', 3] }, { prefix: 'y' }],
      },
    },
    matches: [
      { detail: { time: '2017-10-02T18:43:48Z', state: 'running', code: 'x' } },
      { detail: { time: '2017-10-02', state: 'running', code: 4 } },
      { detail: { time: '2017-10-02', state: 'running', code: 'yes' } },
    ],
    not: [
      { detail: { time: '2017-10-02', state: 'initializing', code: 'x' } },
      { detail: { time: '2017-10-02', state: 'running', code: 3 } },
      { detail: 'x' },
    ],
  },
]
