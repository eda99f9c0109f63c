import { expect, test } from 'vitest';
import { openMetrics } from '../kernel/metrics.js';
import { showMetrics } from './metrics-server.js';

test('a worker shows that it lives and what it did, and nothing else', async () => {
  const metrics = openMetrics();
  metrics.job.observe({ job: 'registry.intake', outcome: 'done' }, 0.2);
  const shown = await showMetrics({ host: '127.0.0.1', port: 0, metrics });
  const get = (path: string) => fetch(`http://127.0.0.1:${String(shown.port)}${path}`);
  expect(await (await get('/health/live')).json()).toEqual({ status: 'live' });
  expect(await (await get('/metrics')).text()).toContain(
    'countersign_job_seconds_count{job="registry.intake",outcome="done"} 1',
  );
  expect((await get('/')).status).toBe(404);
  await shown.close();
  await expect(get('/health/live')).rejects.toThrow();
});
