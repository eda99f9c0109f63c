import type { ApolloServer } from '@apollo/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ExecutionResult, GraphQLSchema } from 'graphql';
import type { Access } from '../kernel/access.js';
import type { Actor } from '../kernel/actor.js';
import type { RunCommand } from '../kernel/command.js';
import { AppError } from '../kernel/errors.js';
import type { Log } from '../kernel/log.js';
import type { AskQuery } from '../kernel/query.js';
import type { RunRecording } from '../kernel/record.js';
import { startApollo } from './apollo.js';
import { contextFor, type Context } from './context.js';
import { openDeadlines, type InTime } from './deadline.js';
import { answerRefusals } from './answers.js';
import { errorFormatter, type FormatError } from './errors.js';
import { securityHeaders } from './headers.js';
import { operationLimits, requireServed } from './limits.js';
import { operationNamed, preparer, unitsOf, type Prepare, type PreparedOperation } from './prepare.js';
import { readRequest, type GraphqlRequest } from './request.js';
import { runCompiled, trustedCompiler, type CompileTrusted } from './trusted.js';

/** What the door needs of the server it is registered in. */
export interface GraphqlParts {
  readonly run: RunCommand;
  readonly ask: AskQuery;
  readonly record: RunRecording;
  readonly access: Access;
  readonly log: Log;
  readonly actorOf: (request: FastifyRequest) => Promise<Actor>;
  readonly limits: { charge(actor: Actor, cost: number): Promise<void> };
  readonly cookies: { readonly options: { readonly secure?: boolean | 'auto' } };
}

/** Who may send documents that are not registered: everybody, only holders of tokens, nobody. */
export type AdHoc = 'everybody' | 'tokens' | 'nobody';

/** Finds the text of a registered document that the actor may use. */
export type FindDocument = (ask: AskQuery, actor: Actor, sha256: string) => string | Promise<string | null>;

/** How the door is opened. */
export interface GraphqlDoorOptions {
  readonly schema: GraphQLSchema;
  /** In development everybody may introspect, and errors suggest names. */
  readonly development: boolean;
  readonly adHoc: AdHoc;
  readonly findDocument: FindDocument;
  readonly deadlineMs?: number;
}

/** What one request is answered with. */
interface Door {
  readonly options: GraphqlDoorOptions;
  readonly parts: GraphqlParts;
  readonly format: FormatError;
  readonly prepare: Prepare;
  readonly compile: CompileTrusted;
  readonly apollo: ApolloServer<Context>;
  readonly inTime: InTime;
}

const defaultDeadlineMs = 20_000;

/** Opens the GraphQL door: `POST /graphql`, as a plugin of the HTTP server. */
export const graphqlDoor =
  (options: GraphqlDoorOptions) =>
  async (server: FastifyInstance, parts: GraphqlParts): Promise<void> => {
    const { schema, development } = options;
    const format = errorFormatter(parts.log, { suggestions: development });
    const prepare = preparer(schema);
    const apollo = await startApollo({ schema, format, suggestions: development });
    server.addHook('onClose', () => apollo.stop());
    const door: Door = {
      options,
      parts,
      format,
      prepare,
      compile: trustedCompiler(schema, prepare),
      apollo,
      inTime: openDeadlines(options.deadlineMs ?? defaultDeadlineMs),
    };
    const headers = securityHeaders(parts.cookies.options.secure === true);
    answerRefusals(server, format, headers);
    server.post('/graphql', { bodyLimit: operationLimits.bytes, helmet: false }, (request, reply) =>
      answer(door, request, reply.headers(headers)),
    );
    server.get('/graphql', (_request, reply) => {
      void reply.header('allow', 'POST');
      const error = new AppError('INVALID_INPUT', 'GraphQL is spoken here by POST with a JSON body', {
        rule: 'graphql-post-only',
      });
      return reply.code(405).send({ errors: [format({ message: '' }, error)] });
    });
  };

const answer = async (door: Door, request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
  const actor = await door.parts.actorOf(request);
  const asked = readRequest(request.body);
  const { source } = asked;
  if ('documentId' in source) return answerTrusted(door, reply, actor, asked, source.documentId);
  requireAdHoc(door.options.adHoc, actor);
  const operation = operationNamed(door.prepare(source.text), asked.operationName);
  if (operation) await admit(door, actor, operation, asked);
  const { operationName, variables } = asked;
  const sent = {
    query: source.text,
    variables: { ...variables },
    ...(operationName === null ? {} : { operationName }),
  };
  // Handed over as an operation, not as HTTP: what Apollo would look at there (method, content type, batches) this
  // door and Fastify have refused already, and reading it again costs a tenth of the answer.
  const { body, http } = await door.inTime((deadline) =>
    door.apollo.executeOperation(sent, { contextValue: contextFor(door.parts, actor, deadline) }),
  );
  if (body.kind !== 'single') throw new Error('Incremental delivery is not served');
  return sendJson(reply, http.status ?? 200, JSON.stringify(body.singleResult));
};

const sendJson = (reply: FastifyReply, status: number, json: string): Buffer => {
  void reply.code(status).header('content-type', 'application/json; charset=utf-8');
  // As bytes: a long text would be joined with the headers and given three times its length in memory to be encoded.
  return Buffer.from(json);
};

const requireAdHoc = (adHoc: AdHoc, actor: Actor): void => {
  const byToken = actor.kind === 'service' || (actor.kind === 'user' && actor.tokenId !== null);
  if (adHoc === 'everybody' || (adHoc === 'tokens' && byToken)) return;
  throw new AppError(
    'FORBIDDEN',
    adHoc === 'tokens'
      ? 'Documents of your own need an API token here; a session may run registered documents by `documentId`'
      : 'Only registered documents are run here: send `documentId`',
    { rule: 'graphql-trusted-only', adHoc },
  );
};

const admit = async (
  { parts, options }: Door,
  actor: Actor,
  operation: PreparedOperation,
  asked: GraphqlRequest,
): Promise<void> => {
  requireServed(operation);
  if (operation.introspects && !options.development && !parts.access.may(actor, 'document:register')) {
    throw new AppError('FORBIDDEN', 'Reading the schema needs document:register', {
      rule: 'graphql-introspection',
      permission: 'document:register',
      heldBy: parts.access.holders('document:register'),
    });
  }
  const units = unitsOf(operation, asked.variables);
  if (units > 0) await parts.limits.charge(actor, units);
};

const answerTrusted = async (
  door: Door,
  reply: FastifyReply,
  actor: Actor,
  asked: GraphqlRequest,
  documentId: string,
): Promise<unknown> => {
  const text = await door.options.findDocument(door.parts.ask, actor, documentId);
  if (text === null) {
    throw new AppError('NOT_FOUND', 'No document with this sha256 is registered in this workspace', {
      documentId,
    });
  }
  const compiled = door.compile(documentId, text, asked.operationName);
  await admit(door, actor, compiled.operation, asked);
  const result = await door.inTime((deadline) =>
    runCompiled(compiled, contextFor(door.parts, actor, deadline), asked.variables),
  );
  return sendJson(reply, statusOf(result), compiled.stringify(formatted(result, door.format)));
};

/** As Apollo does: 400 when the operation did not run at all, 200 otherwise. */
const statusOf = (result: ExecutionResult): number =>
  result.data === undefined && result.errors !== undefined ? 400 : 200;

const formatted = (result: ExecutionResult, format: FormatError): ExecutionResult => {
  const { errors } = result;
  if (!errors || errors.length === 0) return result;
  const list = errors.map((error) => format(error.toJSON(), error));
  return { errors: list as never, ...(result.data === undefined ? {} : { data: result.data }) };
};
