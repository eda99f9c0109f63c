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
export const withDeadline = <T>(
  milliseconds: number,
  work: (deadline: Deadline) => Promise<T>,
): Promise<T> => {
  // A plain object: nobody listens, and an AbortController with its signal for each request is dearer.
  let late: AppError | null = null;
  const deadline: Deadline = {
    throwIfAborted: () => {
      if (late) throw late;
    },
  };
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => {
      late = tooLate(milliseconds);
      reject(late);
    }, milliseconds);
    work(deadline).then(
      (result) => {
        clearTimeout(timer);
        resolve(result);
      },
      (error: unknown) => {
        clearTimeout(timer);
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- passed on as it came
        reject(error);
      },
    );
  });
};
