import { z } from 'zod';
import { readCanonical } from './canonical.js';
import { openEnvelope, statementType } from './dsse.js';
import { ProofFault } from './fault.js';
import type { TrustedKeys } from './keys.js';
import { mostFiles, requirePath, treeDigestOf } from './tree.js';

/** What this kind of statement is called. */
export const predicateType = 'tag:countersign,2026:attestation/promotion/1';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits');
const time = z.iso.datetime({ precision: 3 });
const count = z.int().min(0);
const text = z.string().max(2000);

/** What is said of a version that became what an alias names: `docs/attestation.schema.json` is made from it. */
export const predicateSchema = z
  .strictObject({
    alias: text.describe('The protected alias that names the version since.'),
    approvals: z
      .array(
        z.strictObject({
          at: time,
          person: z
            .string()
            .regex(/^[0-9a-f]{32}$/)
            .describe('The same for the same person within the workspace; says nothing else of them.'),
          role: text,
        }),
      )
      .describe('Who approved, under which role, and when.'),
    attestation: z.uuid().describe('The name of this attestation, as revocation lists know it.'),
    breakGlass: z
      .strictObject({
        incident: z.uuid().describe('What somebody independent must review.'),
        reason: z.string().max(4000).describe('What the emergency was, in the words of who broke the glass.'),
        reviewDueAt: time,
      })
      .optional()
      .describe('There only when one person moved the alias in an emergency, without the approvals.'),
    changeRequest: z.strictObject({ id: z.uuid(), number: count }),
    environment: text.describe('Where the version may run: `production`, unless the change says otherwise.'),
    evidence: z
      .array(
        z.strictObject({
          id: z.uuid(),
          kind: text,
          required: z.boolean().describe('Whether the policy asked for it; only this limits the validity.'),
          sha256: sha256.describe('Of the result.'),
          verdict: text,
        }),
      )
      .describe('What was measured, as the people who approved saw it.'),
    issuer: text.describe('The public address of the installation that signed.'),
    manifest: z.strictObject({ sha256 }).describe('What the approvals were bound to.'),
    model: z.strictObject({ id: z.uuid(), name: text }),
    number: z.int().positive().describe('Running number within the workspace.'),
    policy: z.strictObject({ revision: count, sha256 }),
    tree: z
      .strictObject({ files: count, sha256 })
      .describe('The digest of the first subject, and of how many files.'),
    useCase: z.strictObject({ id: z.uuid(), riskTier: text, slug: text }),
    validity: z.strictObject({ notAfter: time, notBefore: time }),
    version: z.strictObject({ id: z.uuid(), number: z.int().positive() }),
    workspace: text,
  })
  .meta({
    title: 'A promotion that was approved and carried out',
    description: `predicateType ${predicateType}`,
  });

/** What is said of a version. */
export type Predicate = z.output<typeof predicateSchema>;

const subject = z.strictObject({
  digest: z.union([z.strictObject({ dirHash: sha256 }), z.strictObject({ sha256 })]),
  name: z.string().max(4200),
});

const statementSchema = z.strictObject({
  _type: z.literal('https://in-toto.io/Statement/v1'),
  predicate: predicateSchema,
  predicateType: z.literal(predicateType),
  subject: z
    .array(subject)
    .min(1)
    .max(mostFiles + 1),
});

/** An in-toto statement of ours. */
export type Statement = z.output<typeof statementSchema>;

/** A statement whose signature holds. */
export interface Attested {
  readonly predicate: Predicate;
  readonly files: ReadonlyMap<string, string>;
  readonly keyId: string;
}

/** Puts a predicate and the files that it is about into a statement. */
export const statementOf = (
  predicate: Predicate,
  files: readonly { readonly path: string; readonly sha256: string }[],
): Statement => ({
  _type: 'https://in-toto.io/Statement/v1',
  predicate,
  predicateType,
  subject: [
    {
      digest: { dirHash: predicate.tree.sha256 },
      name: `${predicate.model.name}@${String(predicate.version.number)}`,
    },
    ...files.map((file) => ({ digest: { sha256: file.sha256 }, name: file.path })),
  ],
});

const disagrees = (message: string): ProofFault => new ProofFault('malformed', `The attestation ${message}`);

/** The files that a statement names, once they hash to the tree that it names. */
const filesOf = ({ predicate, subject: [tree, ...others] }: Statement): ReadonlyMap<string, string> => {
  const files = others.map(({ name, digest }) => {
    if (!('sha256' in digest)) throw disagrees(`names no sha256 of ${name}`);
    requirePath(name);
    return { path: name, sha256: digest.sha256 };
  });
  const named = tree !== undefined && 'dirHash' in tree.digest ? tree.digest.dirHash : null;
  if (named !== predicate.tree.sha256 || treeDigestOf(files) !== named) {
    throw disagrees('names another tree than its files');
  }
  const map = new Map(files.map(({ path, sha256: digest }) => [path, digest]));
  if (map.size !== files.length || predicate.tree.files !== files.length)
    throw disagrees('names a file twice');
  return map;
};

/** Reads an attestation that a trusted key signed; refuses everything else. */
export const readAttestation = (bytes: Uint8Array, keys: TrustedKeys): Attested => {
  const what = 'The attestation';
  const { payload, keyId } = openEnvelope(bytes, { type: statementType, keys, what });
  const statement = readCanonical(statementSchema, payload, 'What the attestation says');
  const { predicate } = statement;
  if (predicate.issuer !== keys.issuer) {
    throw new ProofFault(
      'issuer',
      `The attestation is of ${predicate.issuer}, the keys are of ${keys.issuer}`,
    );
  }
  return { predicate, files: filesOf(statement), keyId };
};
