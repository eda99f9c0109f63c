/** Freezes the columns of one Parquet file and holds another against them, in a process whose memory is measured. */
import { columnDrift } from '../../src/analysis/index.js';
import { countOnBins } from '../../src/compute/drift/count.js';
import { freezeColumns } from '../../src/compute/drift/freeze.js';
import { openTable } from '../../src/compute/table/engine.js';
import type { DriftFeature } from '../../src/kernel/drift-baseline.js';

const [reference = '', current = ''] = process.argv.slice(2);
const megabytes = 128;

const described = async (path: string): Promise<{ rows: number; features: DriftFeature[] }> => {
  const table = await openTable(path, { megabytes });
  const columns = await table.rows('describe data');
  const [rows] = await table.row('select count(*) from data');
  return {
    rows: Number(rows),
    features: columns.map(([name, type]) => ({
      name: String(name),
      kind: type === 'VARCHAR' ? 'CATEGORICAL' : 'NUMERIC',
    })),
  };
};

const started = performance.now();
const { rows, features } = await described(reference);
const before = await openTable(reference, { megabytes });
const columns = await freezeColumns(before, features, { rows, bins: 20, names: 50 });
const frozen = performance.now();
const cpuFrozen = process.cpuUsage();
const now = await openTable(current, { megabytes });
const window = await countOnBins(now, columns);
const drifts = columns.map(({ bins, counts }, place) =>
  columnDrift(bins, counts, window[place]?.counts ?? counts),
);
const done = performance.now();
const cpu = process.cpuUsage(cpuFrozen);
const drifted = drifts.filter(({ psi }) => psi.value !== null && psi.value >= 0.1).length;

process.stdout.write(
  JSON.stringify({
    freezeSeconds: (frozen - started) / 1000,
    driftSeconds: (done - frozen) / 1000,
    processorSeconds: (cpu.user + cpu.system) / 1e6,
    freezeProcessorSeconds: (cpuFrozen.user + cpuFrozen.system) / 1e6,
    peakMegabytes: process.resourceUsage().maxRSS / 1024,
    drifted,
    rows: drifts[0]?.rows ?? 0,
  }),
);
// The engine's threads would keep the process for a while; nothing is left to do.
process.exit(0);
