/**
 * Who may import whom. Every rule is an error, and `scripts/check-boundaries.mjs` plants one violation of each
 * before it trusts the verdict on the real tree.
 */

// A feature may use the index.ts of the features before it. A new feature gets its place here.
const features = [
  'workspaces',
  'jobs',
  'identity',
  'documents',
  'audit',
  'usecases',
  'risk',
  'datasets',
  'registry',
  'tracking',
  'evaluations',
  'findings',
  'incidents',
  'cards',
  'checks',
  'approvals',
  'attestations',
  'deployments',
  'decisions',
  'reports',
  'comments',
  'notifications',
  'slack',
  'mlflow',
];

const folders = [
  'kernel',
  'analysis',
  'compute',
  'features',
  'embedded',
  'graphql',
  'http',
  'worker',
  'integrations',
];

/** Tests and what they stand on may import anything. */
const tests = ['\\.(test|suite)\\.ts$', '^src/testing/'];
const composition = '^src/(main|app|door)\\.ts$';

/** A file of a feature by its kind, also when it has grown into a folder: registry.graphql.ts, registry.graphql/… */
const kind = (name) => `^src/features/[^/]+/[^/]+\\.${name}(\\.ts$|/)`;
const packages = (...names) => names.map((name) => `(^|/)node_modules/${name}/`);

const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });
/** `from` sees only product code. */
const product = (path, ...except) => ({ path, pathNot: [...tests, ...except] });

const order = features.flatMap((name, index) =>
  features
    .slice(index + 1)
    .map((later) =>
      rule(
        `${name}-comes-before-${later}`,
        'Features import those before them. What happens later is told by a reaction.',
        product(`^src/features/${name}/`),
        { path: `^src/features/${later}/` },
      ),
    ),
);

const layers = [
  rule('kernel-stands-alone', 'Everything stands on the kernel.', product('^src/kernel/'), {
    path: '^src/',
    pathNot: '^src/kernel/',
  }),
  rule('analysis-stands-alone', 'The mathematics knows nothing of the product.', product('^src/analysis/'), {
    path: '^src/',
    pathNot: '^src/analysis/',
  }),
  rule(
    'analysis-needs-no-package',
    'Only Node itself, so that a stranger can check it.',
    product('^src/analysis/'),
    {
      pathNot: '^src/',
      dependencyTypesNot: ['core'],
    },
  ),
  rule(
    'compute-stands-on-kernel-and-analysis',
    'Workers compute; they decide nothing.',
    product('^src/compute/'),
    {
      path: '^src/',
      pathNot: '^src/(compute|kernel|analysis)/',
    },
  ),
  rule(
    'integrations-stand-on-the-kernel',
    'A vendor fills a port of the kernel.',
    product('^src/integrations/'),
    {
      path: '^src/',
      pathNot: '^src/(integrations|kernel)/',
    },
  ),
  rule(
    'embedded-stands-on-kernel-and-config',
    'The parts for a first start replace servers.',
    product('^src/embedded/'),
    {
      path: '^src/',
      pathNot: '^src/(embedded/|kernel/|config\\.ts$)',
    },
  ),
  rule(
    'doors-stand-on-the-kernel',
    'app.ts hands a door what it opens to.',
    product('^src/(graphql|http|worker)/'),
    {
      path: '^src/',
      pathNot: ['^src/$1/', '^src/kernel/'],
    },
  ),
  rule('config-stands-alone', 'Configuration comes before everything.', product('^src/config\\.ts$'), {
    path: '^src/',
    pathNot: '^src/kernel/',
  }),
  rule(
    'every-folder-has-a-rule',
    'A new folder of src gets its place in the dependency rule first.',
    product(
      '^src/',
      '^src/(main|app|door|config)\\.ts$',
      '^src/(demo|cli)/',
      ...folders.map((folder) => `^src/${folder}/`),
    ),
    {},
  ),
];

const featureRules = [
  rule(
    'every-feature-is-in-the-order',
    'Add the feature to the list of this file.',
    product('^src/features/', ...features.map((feature) => `^src/features/${feature}/`)),
    {},
  ),
  rule(
    'a-feature-is-entered-by-its-index',
    'Other files of a feature are its own business. Only GraphQL types meet directly, so that index.ts stays free of them.',
    product('^src/features/([^/]+)/', kind('graphql')),
    { path: '^src/features/', pathNot: ['^src/features/$1/', '^src/features/[^/]+/index\\.ts$'] },
  ),
  rule(
    'graphql-types-meet-graphql-types',
    'A *.graphql.ts takes from another feature its index.ts or its GraphQL types.',
    { path: '^src/features/([^/]+)/[^/]+\\.graphql(\\.ts$|/)' },
    {
      path: '^src/features/',
      pathNot: ['^src/features/$1/', '^src/features/[^/]+/index\\.ts$', kind('graphql')],
    },
  ),
  rule(
    'an-index-has-no-graphql',
    'Whoever imports an index.ts must not load GraphQL types with it.',
    product('^src/features/[^/]+/index\\.ts$'),
    { path: kind('graphql') },
  ),
  rule(
    'features-stand-on-kernel-and-analysis',
    'What else they need comes as an argument.',
    product('^src/features/'),
    {
      path: '^src/',
      pathNot: '^src/(kernel|analysis|features|graphql|http|integrations|compute)/',
    },
  ),
  rule(
    'http-stays-at-the-door',
    'Protocols are spoken in *.http.ts.',
    product('^src/features/', kind('http')),
    {
      path: ['^src/http/', ...packages('fastify', '@fastify/[^/]+')],
    },
  ),
  rule(
    'the-outside-world-only-from-jobs',
    'A handler touches nothing outside its transaction: enqueue a job.',
    product('^src/features/', kind('jobs')),
    { path: '^src/(integrations|compute)/' },
  ),
];

const packageRules = [
  rule(
    'graphql-stays-at-the-door',
    'GraphQL is one door of three.',
    product('^src/', '^src/graphql/', '^src/(demo|cli)/', composition, kind('graphql')),
    {
      path: [
        '^src/graphql/',
        ...packages('graphql', 'type-graphql', 'graphql-[^/]+', '@apollo', '@as-integrations'),
      ],
    },
  ),
  rule('bullmq-only-in-the-worker', 'Enqueue through the outbox.', product('^src/', '^src/worker/'), {
    path: packages('bullmq'),
  }),
  rule(
    'connections-are-not-made-here',
    'Features and doors are handed a Tx or a ReadDb.',
    product('^src/(features|graphql|http|integrations|compute)/'),
    { path: packages('pg', 'pg-[^/]+') },
  ),
  rule('the-product-needs-no-dev-dependency', 'It is not there in production.', product('^src/'), {
    dependencyTypes: ['npm-dev'],
    dependencyTypesNot: ['type-only'],
  }),
];

const generalRules = [
  rule(
    'only-main-knows-the-demo',
    'The product runs without it.',
    product('^src/', '^src/main\\.ts$', '^src/(demo|cli)/'),
    {
      path: '^src/demo/',
    },
  ),
  rule(
    'nothing-imports-the-top',
    'app.ts knows everybody, nobody knows app.ts.',
    product('^src/', composition, '^src/(demo|cli)/'),
    {
      path: composition,
    },
  ),
  rule(
    'nobody-imports-the-cli',
    'The commands of the program put everything together; only main.ts dispatches to them.',
    product('^src/', '^src/main\\.ts$', '^src/cli/'),
    { path: '^src/cli/' },
  ),
  rule('testing-is-for-tests', 'Test code does not reach production.', product('^src/'), { path: tests }),
  // Types that speak of each other are erased; values that wait for each other are not.
  rule(
    'no-cycle',
    'What goes round cannot be understood in parts.',
    { path: '^src/' },
    {
      circular: true,
      viaOnly: { dependencyTypesNot: ['type-only'] },
    },
  ),
  rule(
    'every-import-resolves',
    'What cannot be found cannot be judged.',
    { path: '^src/' },
    { couldNotResolve: true },
  ),
  rule(
    'the-console-speaks-graphql',
    'The console knows the schema, not the code.',
    { path: '^console/' },
    { path: '^src/' },
  ),
];

module.exports = {
  forbidden: [...layers, ...featureRules, ...order, ...packageRules, ...generalRules],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Types count: whoever names a type of another feature depends on it.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
