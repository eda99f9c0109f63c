import { buildSchema, execute, parse, type GraphQLEnumType } from 'graphql';
import { beforeEach, expect, test, vi } from 'vitest';
import { preparer } from './prepare.js';
import { runCompiled, trustedCompiler } from './trusted.js';

const schema = buildSchema(`
  enum Colour { RED GREEN }
  enum Size { SMALL LARGE }
  scalar Anything
  interface Named { name: String }
  type Leaf implements Named {
    id: ID! name: String count: Int! share: Float active: Boolean colour: Colour size: Size any: Anything
    tags: [String!] matrix: [[Int]!] other: Leaf
  }
  type Branch implements Named { name: String leaves: [Leaf] }
  union Part = Leaf | Branch
  type Query { leaf: Leaf parts: [Part!] }
  type Mutation { leaf: Leaf }
`);
// As of `registerEnumType`: what stands in the code may be another word than what is answered.
const size = schema.getType('Size') as GraphQLEnumType;
for (const value of size.getValues()) value.value = value.name === 'SMALL' ? 'SMALL' : 'big';
Object.assign(size, { _valueLookup: new Map(size.getValues().map((value) => [value.value, value])) });

const resolve = vi.fn();
for (const root of [schema.getQueryType(), schema.getMutationType()]) {
  for (const field of Object.values(root?.getFields() ?? {})) field.resolve = () => resolve() as unknown;
}

beforeEach(() => {
  resolve.mockReset();
});

const everything = `id name count share active colour size any tags matrix other { id count }`;
const whole = {
  __typename: 'Leaf',
  id: 'a',
  name: 'one',
  count: 1,
  share: 0.5,
  active: true,
  colour: 'RED',
  size: 'SMALL',
  any: { deep: [1] },
  tags: ['x'],
  matrix: [[1, null]],
  other: null,
};

const compiler = () => trustedCompiler(schema, preparer(schema));

/** What the trusted document answers, beside what graphql-js answers to the same. */
const both = async (document: string, value: unknown, compile = compiler()) => {
  resolve.mockReturnValue(value);
  const plain = await execute({ schema, document: parse(document) });
  resolve.mockClear();
  const trusted = await runCompiled(compile('sha256', document, null), {} as never, {});
  const said = (result: unknown): unknown => JSON.parse(JSON.stringify(result));
  return { plain: said(plain), trusted: said(trusted), runs: resolve.mock.calls.length };
};

test('leaves that are of their types are answered after one run', async () => {
  const { plain, trusted, runs } = await both(`{ leaf { ${everything} } }`, { ...whole, other: whole });
  expect(trusted).toEqual(plain);
  expect(runs).toBe(1);
});

test.each([
  ['id', 7],
  ['id', {}],
  ['name', 7],
  ['name', true],
  ['name', { valueOf: () => 'by value' }],
  ['name', []],
  ['count', 1.5],
  ['count', 2 ** 31],
  ['count', '12'],
  ['count', 'twelve'],
  ['count', true],
  ['count', 12n],
  ['count', Symbol('twelve')],
  ['share', NaN],
  ['share', Infinity],
  ['share', '0.5'],
  ['active', 1],
  ['active', 'yes'],
  ['colour', 'BLUE'],
  ['colour', 1],
  ['size', 'big'],
  ['size', 'LARGE'],
  ['tags', ['x', 7]],
  ['tags', ['x', {}]],
  ['matrix', [[1], [1.5]]],
  ['matrix', [[1], ['2']]],
  ['other', { ...whole, count: 'none' }],
])('%s as %o is what it is to graphql-js', async (field, value) => {
  const { plain, trusted, runs } = await both(`{ leaf { ${everything} } }`, { ...whole, [field]: value });
  expect(trusted).toEqual(plain);
  expect(runs).toBe(2);
});

test.each([
  ['a null', { ...whole, count: null }],
  ['an error', { ...whole, share: new Error('no share') }],
  ['nothing', null],
])('%s is no reason to run again', async (_, value) => {
  const { plain, trusted, runs } = await both(`{ leaf { ${everything} } }`, value);
  expect(trusted).toEqual(plain);
  expect(runs).toBe(1);
});

test.each([
  ['{ leaf { a: share ... on Leaf { b: share } ...F } } fragment F on Leaf { c: share __typename }', 'share'],
  ['{ leaf { name ... on Named { constructor: name } } }', 'name'],
  ['{ leaf { other { ...F } } } fragment F on Named { ... on Leaf { share } }', 'share'],
])('a leaf is found under every name and in every fragment: %s', async (document, field) => {
  for (const value of [whole, { ...whole, [field]: {} }]) {
    const leaf = { ...value, other: value };
    const { plain, trusted, runs } = await both(document, leaf);
    expect(trusted).toEqual(plain);
    expect(runs).toBe(value === whole ? 1 : 2);
  }
});

test('leaves of unions are looked at in whatever type there is', async () => {
  const document = `{ parts { ... on Leaf { count } ... on Branch { leaves { count tags } toString: leaves { id } } } }`;
  const branch = { __typename: 'Branch', leaves: [whole, null, { ...whole, tags: null }] };
  const good = await both(document, [whole, branch]);
  expect(good.trusted).toEqual(good.plain);
  const bad = await both(document, [whole, { ...branch, leaves: [{ ...whole, count: '1' }] }]);
  expect(bad.trusted).toEqual(bad.plain);
});

test('after a leaf that was not of its type, a document is run with serializers', async () => {
  const compile = compiler();
  const first = await both('{ leaf { count } }', { count: '1' }, compile);
  const second = await both('{ leaf { count } }', { count: '1' }, compile);
  expect([first.runs, second.runs]).toEqual([2, 1]);
  expect(second.trusted).toEqual({ data: { leaf: { count: 1 } } });
});

test('what changes something is run once, whatever its leaves are', async () => {
  const { plain, trusted, runs } = await both('mutation { leaf { id count } }', { id: 7, count: '1' });
  expect(trusted).toEqual(plain);
  expect(runs).toBe(1);
});
