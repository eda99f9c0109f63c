/** Lines for the person at the terminal. */
export interface Progress {
  readonly line: (text: string) => void;
  /** Says what is being done once it has taken a second, and when it is over how long it took. */
  readonly during: <T>(what: string, work: Promise<T>) => Promise<T>;
}

const patienceMs = 1000;
const reminderMs = 5000;

/** Opens the lines; quick work stays silent. */
export const openProgress = (): Progress => {
  const line = (text: string): void => {
    process.stdout.write(`${text}\n`);
  };
  return { line, during: (what, work) => during(line, what, work) };
};

const during = async <T>(line: (text: string) => void, what: string, work: Promise<T>): Promise<T> => {
  const started = performance.now();
  const seconds = (): string => `${((performance.now() - started) / 1000).toFixed(1)} s`;
  const timers: { reminder?: NodeJS.Timeout } = {};
  const first = setTimeout(() => {
    line(`${what} …`);
    timers.reminder = setInterval(() => {
      line(`${what} … ${seconds()}`);
    }, reminderMs);
  }, patienceMs);
  try {
    return await work;
  } finally {
    clearTimeout(first);
    clearInterval(timers.reminder);
    if (performance.now() - started > patienceMs) line(`${what}: ${seconds()}`);
  }
};
