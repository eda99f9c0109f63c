/** Writes a line of result: what scripts read. */
export const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** Writes a line for the person at the terminal beside the result. */
export const complain = (line: string): void => {
  process.stderr.write(`${line}\n`);
};
