import type { FastifyRequest } from 'fastify';

/** The password of a Basic header, which is an API token; the name before it is not looked at. */
const passwordOf = (header: string): string | null => {
  const [, encoded = ''] = /^Basic +([\w+/=-]+)$/i.exec(header.slice(0, 2000)) ?? [];
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? null : text.slice(colon + 1);
};

const workspaceOf = ({ params, headers }: FastifyRequest): string | null => {
  if (typeof params === 'object' && params !== null && 'workspace' in params) return String(params.workspace);
  const header = headers['x-mlflow-workspace'];
  return typeof header === 'string' && header !== '' && header !== 'default' ? header : null;
};

/** Puts what clients of MLflow say of themselves into the words of this server: a token, and a workspace. */
export const asOurs = (request: FastifyRequest): void => {
  const { headers } = request.raw;
  const password = passwordOf(headers.authorization ?? '');
  if (password !== null) headers.authorization = `Bearer ${password}`;
  const workspace = workspaceOf(request);
  if (workspace !== null) headers['x-countersign-workspace'] = workspace;
};
