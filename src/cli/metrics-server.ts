import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Metrics } from '../kernel/metrics.js';

/** A worker has no door of its own; operators still want to see that it lives and what it does. */
export const showMetrics = async (options: {
  readonly host: string;
  readonly port: number;
  readonly metrics: Metrics;
}): Promise<{ readonly port: number; close: () => Promise<void> }> => {
  const { registry } = options.metrics;
  const server = createServer((request, response) => {
    if (request.url === '/health/live') {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"status":"live"}');
      return;
    }
    if (request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  server.listen({ host: options.host, port: options.port });
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
};
