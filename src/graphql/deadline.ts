import { AppError } from '../kernel/errors.js';

/** What an operation asks before it begins anything: throws when its time is over. */
export type Deadline = Pick<AbortSignal, 'throwIfAborted'>;

const tooLate = (milliseconds: number): AppError => {
  const seconds = milliseconds / 1000;
  return new AppError(
    'INTERNAL',
    `The operation took longer than ${String(seconds)} s and was given up. A change it had begun may still have been made: look before you repeat it`,
    { rule: 'graphql-deadline', limitSeconds: seconds },
  );
};

/** Answers when the time of an operation is over, whatever the operation does; the deadline tells it to begin nothing more. */
export type InTime = <T>(work: (deadline: Deadline) => Promise<T>) => Promise<T>;

interface Waiting {
  readonly due: number;
  readonly giveUp: () => void;
}

/** Opens deadlines of one length. */
export const openDeadlines = (milliseconds: number): InTime => {
  // All are equally long, so the first to begin is the first to be over, and one timer serves them all.
  const waiting = new Set<Waiting>();
  let waits = false;
  const wait = (length: number): void => {
    waits = true;
    setTimeout(giveUpLate, length).unref();
  };
  const giveUpLate = (): void => {
    waits = false;
    const now = performance.now();
    for (const operation of waiting) {
      if (operation.due > now) {
        wait(operation.due - now);
        return;
      }
      waiting.delete(operation);
      operation.giveUp();
    }
  };
  return (work) => {
    // A plain object: nobody listens, and an AbortController with its signal for each request is dearer.
    let late: AppError | null = null;
    const deadline: Deadline = {
      throwIfAborted: () => {
        if (late) throw late;
      },
    };
    return new Promise((resolve, reject) => {
      const operation: Waiting = {
        due: performance.now() + milliseconds,
        giveUp: () => {
          late = tooLate(milliseconds);
          reject(late);
        },
      };
      waiting.add(operation);
      if (!waits) wait(milliseconds);
      work(deadline).then(
        (result) => {
          waiting.delete(operation);
          resolve(result);
        },
        (error: unknown) => {
          waiting.delete(operation);
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- passed on as it came
          reject(error);
        },
      );
    });
  };
};
