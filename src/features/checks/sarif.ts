/** Something that does not hold, as a pipeline reads it. */
export interface SarifResult {
  /** `fairness-thresholds`, `approvals.validator`. */
  readonly rule: string;
  readonly title: string;
  readonly message: string;
  /** error stands in the way, warning does not, note is only noted. */
  readonly level: 'error' | 'warning' | 'note';
  readonly verdict: string;
  readonly evidenceIds: readonly string[];
  /** The right that moves it. */
  readonly permission: string | null;
}

/** What the results are about: a version of a model, by name and digest. */
export interface SarifSubject {
  readonly model: string;
  readonly version: number;
  readonly digest: string | null;
  readonly useCase: string;
}

const schema = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';

const resultOf = (
  result: SarifResult,
  ruleIndex: number,
  { model, version, digest }: SarifSubject,
): object => ({
  ruleId: result.rule,
  ruleIndex,
  kind: 'fail',
  level: result.level,
  message: { text: result.message },
  // Where a pipeline shows it: the model has no line of a source file.
  locations: [
    {
      logicalLocations: [
        {
          name: `${model}/${String(version)}`,
          fullyQualifiedName: `models/${model}/versions/${String(version)}`,
          kind: 'resource',
        },
      ],
    },
  ],
  partialFingerprints: { 'countersign/v1': `${model}/${String(version)}/${digest ?? 'none'}/${result.rule}` },
  properties: { verdict: result.verdict, evidence: result.evidenceIds, permission: result.permission },
});

/** A log in the form of SARIF 2.1.0 of what does not hold; no result says that everything does. */
export const sarifOf = (subject: SarifSubject, results: readonly SarifResult[]): object => {
  const rules = [...new Map(results.map((one) => [one.rule, one])).values()];
  const indexOf = new Map(rules.map((one, index) => [one.rule, index]));
  return {
    $schema: schema,
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'Countersign',
            rules: rules.map(({ rule, title }) => ({ id: rule, shortDescription: { text: title } })),
          },
        },
        properties: { useCase: subject.useCase, digest: subject.digest },
        results: results.map((one) => resultOf(one, indexOf.get(one.rule) ?? 0, subject)),
      },
    ],
  };
};
