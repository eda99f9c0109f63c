import { workerContract } from '../testing/worker.contract.js';

workerContract((app) => ({ kind: 'postgres', url: app.databaseUrl }));
