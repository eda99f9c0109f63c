import { createServer } from 'node:http';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { fastify } from 'fastify';
import { buildSchema, printSchema, type GraphQLSchema } from 'graphql';
import { createYoga } from 'graphql-yoga';
import { mercurius } from 'mercurius';
import { itemsSchema } from './countersign.js';
import { rows } from './rows.js';

/** The same list as a plain schema without authorization, which is the fastest these servers can be given. */
const plainSchema = async (): Promise<GraphQLSchema> => {
  const schema = buildSchema(printSchema(await itemsSchema()));
  const field = schema.getQueryType()?.getFields()['items'];
  if (!field) throw new Error('The schema of the benchmark has no items');
  field.resolve = (_source, args: { first: number }) => {
    const nodes = rows.slice(0, args.first);
    const endCursor = Buffer.from(JSON.stringify([nodes.at(-1)?.id])).toString('base64url');
    return Promise.resolve({ nodes, pageInfo: { hasNextPage: true, endCursor } });
  };
  return schema;
};

const startApollo = async (): Promise<number> => {
  const server = new ApolloServer({ schema: await plainSchema() });
  const { url } = await startStandaloneServer(server, { listen: { port: 0, host: '127.0.0.1' } });
  return Number(new URL(url).port);
};

const startYoga = async (): Promise<number> => {
  const yoga = createYoga({ schema: await plainSchema(), logging: false });
  // eslint-disable-next-line @typescript-eslint/no-misused-promises -- Yoga is given to node:http like this
  const server = createServer(yoga);
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
};

const startMercurius = async (jit: number): Promise<number> => {
  const server = fastify();
  await server.register(mercurius, { schema: await plainSchema(), jit });
  return Number(new URL(await server.listen({ port: 0, host: '127.0.0.1' })).port);
};

/** The peers by name. */
export const peers: Readonly<Record<string, () => Promise<number>>> = {
  'Apollo 5 default': startApollo,
  'Yoga 5': startYoga,
  'Mercurius 16': () => startMercurius(0),
  'Mercurius 16 + jit': () => startMercurius(1),
};
