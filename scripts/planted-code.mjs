const lines = (count, line) => `${line}\n`.repeat(count);
const branches = Array.from({ length: 11 }, (_, index) => `  if (n === ${index}) return ${index};`).join(
  '\n',
);

/** One violation of each rule of the house: the rule, the file at fault, its text. */
export const plantedCode = [
  [
    'no-restricted-imports',
    'src/kernel/door.ts',
    "import { DataSource } from 'typeorm';\nexport const door = DataSource;\n",
  ],
  [
    'no-restricted-imports',
    'src/features/cards/all.ts',
    "import * as orm from 'typeorm';\nexport const door = orm;\n",
  ],
  [
    'no-restricted-imports',
    'src/features/cards/query.graphql.ts',
    "import { Query } from 'type-graphql';\nexport const q = Query;\n",
  ],
  [
    'no-restricted-imports',
    'src/features/cards/change.graphql.ts',
    "import { Mutation } from 'type-graphql';\nexport const m = Mutation;\n",
  ],
  [
    'no-restricted-imports',
    'src/features/cards/watch.graphql.ts',
    "import { Subscription } from 'type-graphql';\nexport const s = Subscription;\n",
  ],
  [
    'no-restricted-imports',
    'src/worker/environment.ts',
    "import { env } from 'node:process';\nexport const port = env['PORT'];\n",
  ],
  ['no-restricted-properties', 'src/worker/settings.ts', "export const port = process.env['PORT'];\n"],
  ['no-restricted-properties', 'src/worker/taken.ts', 'const { env } = process;\nexport const port = env;\n'],
  [
    'no-restricted-properties',
    'src/worker/mocked.test.ts',
    "import { vi } from 'vitest';\nvi.mock('./relay.js');\n",
  ],
  [
    'no-restricted-properties',
    'src/worker/mocked-later.test.ts',
    "import { vi } from 'vitest';\nvi.doMock('./relay.js');\n",
  ],
  ['no-restricted-syntax', 'src/worker/default.ts', 'export default 1;\n'],
  ['no-restricted-syntax', 'src/worker/as-default.ts', 'const one = 1;\nexport { one as default };\n'],
  ['no-restricted-syntax', 'src/worker/later.ts', 'export class Later {\n  id!: string;\n}\n'],
  [
    'no-restricted-syntax',
    'src/worker/name.test.ts',
    "import { test } from 'vitest';\ntest('it should work', () => undefined);\n",
  ],
  [
    'no-restricted-syntax',
    'src/worker/focus.test.ts',
    "import { test } from 'vitest';\ntest.only('works', () => undefined);\n",
  ],
  [
    '@typescript-eslint/no-explicit-any',
    'src/worker/any.ts',
    'export const anything = (input: any): unknown => input as unknown;\n',
  ],
  [
    '@typescript-eslint/no-non-null-assertion',
    'src/worker/assert.ts',
    'export const first = (list: string[]): string => list[0]!;\n',
  ],
  [
    '@typescript-eslint/no-floating-promises',
    'src/worker/floating.ts',
    'const later = async (): Promise<void> => undefined;\nexport const start = (): void => {\n  later();\n};\n',
  ],
  [
    '@typescript-eslint/switch-exhaustiveness-check',
    'src/worker/switch.ts',
    "export const say = (word: 'a' | 'b'): number => {\n  switch (word) {\n    case 'a':\n      return 1;\n  }\n  return 2;\n};\n",
  ],
  ['max-lines', 'src/worker/long.ts', lines(401, 'export {};')],
  [
    'max-lines-per-function',
    'src/worker/long-function.ts',
    `export const long = (): void => {\n${lines(60, '  String();')}};\n`,
  ],
  [
    'complexity',
    'src/worker/complex.ts',
    `export const pick = (n: number): number => {\n${branches}\n  return n;\n};\n`,
  ],
  ['no-console', 'src/worker/print.ts', "console.log('here');\n"],
  ['no-warning-comments', 'src/worker/later-comment.ts', `// ${'TO'}DO: finish\nexport const one = 1;\n`],
  ['countersign/file-name', 'src/worker/CamelCase.ts', 'export const one = 1;\n'],
  ['countersign/file-name', 'src/worker/string-utils.ts', 'export const one = 1;\n'],
  ['countersign/documented-exports', 'src/kernel/undocumented.ts', 'export const one = 1;\n'],
];

/** Where the same things are in their place: the file and its text. */
export const innocentCode = [
  [
    'src/kernel/db.ts',
    "import { DataSource } from 'typeorm';\n\n/** Opens the connection. */\nexport const openDb = (): DataSource => new DataSource({ type: 'postgres' });\n",
  ],
  ['src/config.ts', "export const port = process.env['PORT'];\n"],
  ['src/graphql/root-field.ts', "import { Query } from 'type-graphql';\n\nexport const rootField = Query;\n"],
  ['src/graphql/fields.ts', 'export const anything = (input: any): unknown => input;\n'],
  [
    'src/features/cards/card.entity.ts',
    "import { Entity, PrimaryColumn } from 'typeorm';\n\n@Entity('card')\nexport class Card {\n  @PrimaryColumn('uuid') id!: string;\n}\n",
  ],
  [
    'src/features/cards/cards.graphql.ts',
    "import { Field, ID, ObjectType, Resolver } from 'type-graphql';\n\n@ObjectType('Card')\nexport class CardType {\n  @Field(() => ID) id!: string;\n}\n\n@Resolver()\nexport class CardsResolver {}\n",
  ],
  [
    'src/features/cards/cards.test.ts',
    `import { expect, test } from 'vitest';\n\ntest('a card has an id', async () => {\n${lines(70, '  expect(String(1)).toBe(1);')}});\n`,
  ],
];
