import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** What is measured about a running process, in the form that Prometheus reads. */
export interface Metrics {
  readonly registry: Registry;
  /** Seconds of a command, query or record, by name and outcome. */
  readonly observe: (
    kind: 'command' | 'query' | 'record',
    name: string,
    outcome: string,
    seconds: number,
  ) => void;
  readonly door: Histogram<'door' | 'route' | 'status'>;
  readonly job: Histogram<'job' | 'outcome'>;
  readonly relayed: Counter<'queue'>;
  readonly outboxLag: Gauge;
  readonly pool: Gauge<'role' | 'state'>;
  readonly decisions: Counter<'action'>;
  readonly decisionSeconds: Histogram;
}

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

interface Naming {
  readonly name: string;
  readonly help: string;
}

const histogram = <Label extends string>(
  registry: Registry,
  naming: Naming,
  labelNames: Label[],
): Histogram<Label> => new Histogram({ ...naming, labelNames, buckets: seconds, registers: [registry] });

const queueMetrics = (registry: Registry): Pick<Metrics, 'job' | 'relayed' | 'outboxLag'> => ({
  job: histogram(registry, { name: 'countersign_job_seconds', help: 'Jobs run by a worker' }, [
    'job',
    'outcome',
  ]),
  relayed: new Counter({
    name: 'countersign_outbox_relayed_total',
    help: 'Outbox rows handed to the queue',
    labelNames: ['queue'],
    registers: [registry],
  }),
  outboxLag: new Gauge({
    name: 'countersign_outbox_oldest_seconds',
    help: 'Age of the oldest outbox row that waits',
    registers: [registry],
  }),
});

const decisionMetrics = (registry: Registry): Pick<Metrics, 'decisions' | 'decisionSeconds'> => ({
  decisions: new Counter({
    name: 'countersign_decisions_total',
    help: 'Finished decisions',
    labelNames: ['action'],
    registers: [registry],
  }),
  decisionSeconds: histogram(
    registry,
    { name: 'countersign_decision_seconds', help: 'From request to finished decision' },
    [],
  ),
});

/** Opens the metrics of a process. */
export const openMetrics = (): Metrics => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'countersign_' });
  const work = histogram(
    registry,
    { name: 'countersign_work_seconds', help: 'Commands, queries and records' },
    ['kind', 'name', 'outcome'],
  );
  const door = { name: 'countersign_door_seconds', help: 'Requests answered by a door' };
  return {
    registry,
    observe: (kind, name, outcome, value) => {
      work.observe({ kind, name, outcome }, value);
    },
    door: histogram(registry, door, ['door', 'route', 'status']),
    pool: new Gauge({
      name: 'countersign_db_connections',
      help: 'Database connections',
      labelNames: ['role', 'state'],
      registers: [registry],
    }),
    ...queueMetrics(registry),
    ...decisionMetrics(registry),
  };
};
