import { setTimeout as sleep } from 'node:timers/promises';

/** Reads until it is so; what is not so after 30 seconds is a fault. */
export const eventually = async <T>(
  read: () => Promise<T>,
  isSo: (value: T) => boolean,
  fault: string,
): Promise<T> => {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    const value = await read();
    if (isSo(value)) return value;
    await sleep(200);
  }
  throw new Error(`${fault} within 30 seconds`);
};
