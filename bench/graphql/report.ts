/** One measurement of one server. */
export interface Measured {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** Processor time of the server per request, in microseconds: says more than the rate on a busy machine. */
  readonly processor: number;
}

/** Measurements by server, one per round. */
export type Results = ReadonlyMap<string, readonly Measured[]>;

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

const round = (value: number): number => Math.round(value * 100) / 100;

/** The median over rounds of one server's figure against another's in the same round. */
const ratio = (results: Results, of: string, to: string, figure: (one: Measured) => number): number => {
  const others = results.get(to) ?? [];
  const each = (results.get(of) ?? []).map((one, index) => {
    const other = others[index];
    return other ? figure(one) / figure(other) : 0;
  });
  return round(median(each));
};

const perSecond = (one: Measured): number => one.perSecond;
const frugality = (one: Measured): number => 1 / one.processor;

const goals = { adHocToYoga: 1, trustedToApollo: 4 };
const apollo = 'Apollo 5 default';

const line = (cells: readonly string[]): string =>
  cells.map((cell, index) => (index === 0 ? cell.padEnd(24) : cell.padStart(10))).join('');

/** Prints the table, and as the last line the figures as JSON. */
export const report = (results: Results, settings: object): void => {
  console.log(`\n${line(['server', 'req/s', 'min', 'max', 'p50 ms', 'p99 ms', 'cpu µs', '× Apollo'])}`);
  for (const [name, runs] of results) {
    const rates = runs.map(perSecond);
    const whole = [median(rates), Math.min(...rates), Math.max(...rates)].map((value) => value.toFixed(0));
    const times = [median(runs.map(({ p50 }) => p50)), median(runs.map(({ p99 }) => p99))].map(String);
    const processor = median(runs.map((run) => run.processor)).toFixed(0);
    console.log(
      line([name, ...whole, ...times, processor, ratio(results, name, apollo, perSecond).toFixed(2)]),
    );
  }
  const ratios = {
    adHocToYoga: ratio(results, 'Countersign, ad hoc', 'Yoga 5', perSecond),
    trustedToApollo: ratio(results, 'Countersign, trusted', apollo, perSecond),
  };
  const byProcessorTime = {
    adHocToYoga: ratio(results, 'Countersign, ad hoc', 'Yoga 5', frugality),
    trustedToApollo: ratio(results, 'Countersign, trusted', apollo, frugality),
  };
  const rates = Object.fromEntries(
    [...results].map(([name, runs]) => [name, Math.round(median(runs.map(perSecond)))]),
  );
  const met = ratios.adHocToYoga >= goals.adHocToYoga && ratios.trustedToApollo >= goals.trustedToApollo;
  console.log(
    JSON.stringify({
      bench: 'graphql',
      ...settings,
      perSecond: rates,
      ...ratios,
      byProcessorTime,
      goals,
      met,
    }),
  );
};
