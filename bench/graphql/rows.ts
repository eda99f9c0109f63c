/** A row of the list that is asked for: ten fields of the kinds that lists have. */
export interface Row {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly purpose: string;
  readonly owner: string;
  readonly riskTier: string;
  readonly versions: number;
  readonly score: number;
  readonly active: boolean;
  readonly createdAt: string;
}

const rowOf = (index: number): Row => ({
  id: `018f5c2e-7d3a-7000-8000-${String(index).padStart(12, '0')}`,
  slug: `use-case-${String(index)}`,
  name: `Use case number ${String(index)}`,
  purpose: 'Routes applications for income verification to a person when the models disagree.',
  owner: `Person ${String(index % 7)}`,
  riskTier: ['LOW', 'MEDIUM', 'HIGH'][index % 3] ?? 'LOW',
  versions: index,
  score: index / 7,
  active: index % 2 === 0,
  createdAt: new Date(1_700_000_000_000 + index * 86_400_000).toISOString(),
});

/** The rows in memory. */
export const rows: readonly Row[] = Array.from({ length: 500 }, (_, index) => rowOf(index));

/** The document that all servers answer. */
export const document = `query Items($first: Int!) {
  items(first: $first) {
    nodes { id slug name purpose owner riskTier versions score active createdAt }
    pageInfo { hasNextPage endCursor }
  }
}`;

/** Its variables: fifty rows of ten fields. */
export const variables = { first: 50 };
