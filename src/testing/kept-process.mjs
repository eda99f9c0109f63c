/** Stands in for api or worker: says what a child says, notes each start, and dies when it is told to. */
import { appendFileSync } from 'node:fs';

process.send({ say: 'loaded' });
process.on('message', ({ say, environment }) => {
  if (say === 'stop') {
    appendFileSync(environment?.NOTES ?? process.env.NOTES, 'stopped\n');
    process.exit(0);
  }
  appendFileSync(environment.NOTES, `began ${process.pid} ${environment.SECRET}\n`);
  if (environment.FAIL) process.send({ say: 'failed', reason: 'The port is taken' }, () => process.exit(1));
  else process.send({ say: 'ready' });
});
