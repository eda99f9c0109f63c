import { AppError, invalidInput } from '../kernel/errors.js';

/** One request: a document sent along, or the sha256 of a registered one. */
export interface GraphqlRequest {
  readonly source: { readonly text: string } | { readonly documentId: string };
  readonly operationName: string | null;
  readonly variables: Readonly<Record<string, unknown>>;
}

const noVariables = {};
const sha256 = /^[0-9a-f]{64}$/;

// Written by hand, because every request passes here: a schema library costs more than the rest of the reading.

/** Reads the body of a request, or refuses and says how one looks. */
export const readRequest = (body: unknown): GraphqlRequest => {
  if (Array.isArray(body)) {
    throw new AppError('INVALID_INPUT', 'Send one operation per request; batches are not accepted', {
      rule: 'graphql-batch',
      limit: 1,
      value: body.length,
    });
  }
  if (!isRecord(body)) throw misshapen('', 'must be a JSON object');
  return { source: sourceOf(body), operationName: nameOf(body), variables: variablesOf(body) };
};

type Fields = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isAbsent = (value: unknown): value is null | undefined => value === undefined || value === null;

const sourceOf = (body: Fields): GraphqlRequest['source'] => {
  const { query } = body;
  if (typeof query === 'string' && query !== '') return { text: query };
  if (!isAbsent(query)) throw misshapen('query', 'must be a GraphQL document as text');
  const documentId = isAbsent(body['documentId']) ? persistedQuery(body) : body['documentId'];
  if (isAbsent(documentId)) {
    throw invalidInput(
      'The body needs `query` (a document) or `documentId` (the sha256 of a registered document)',
      [{ path: 'query', message: 'is missing' }],
    );
  }
  if (typeof documentId === 'string' && sha256.test(documentId)) return { documentId };
  throw misshapen('documentId', 'must be a sha256 in lower-case hexadecimal');
};

/** The place where Apollo's clients put the sha256. */
const persistedQuery = ({ extensions }: Fields): unknown => {
  if (isAbsent(extensions)) return null;
  if (!isRecord(extensions)) throw misshapen('extensions', 'must be an object');
  const persisted = extensions['persistedQuery'];
  return isRecord(persisted) ? persisted['sha256Hash'] : null;
};

const nameOf = ({ operationName }: Fields): string | null => {
  if (isAbsent(operationName)) return null;
  if (typeof operationName === 'string') return operationName;
  throw misshapen('operationName', 'must be text');
};

const variablesOf = ({ variables }: Fields): Fields => {
  if (isAbsent(variables)) return noVariables;
  if (isRecord(variables)) return variables;
  throw misshapen('variables', 'must be an object');
};

const misshapen = (path: string, message: string): AppError =>
  invalidInput(
    `The body is no GraphQL request ({ query or documentId, variables, operationName }): ${path}${path === '' ? 'it' : ''} ${message}`,
    [{ path, message }],
  );
