/** Why something is refused: a rule that scripts can compare, and a sentence for people. */
export interface Reason {
  readonly rule: string;
  readonly message: string;
}

/** Thrown by what reads foreign bytes; the reason says what is wrong with them. */
export class ProofFault extends Error {
  override readonly name = 'ProofFault';

  constructor(
    readonly rule: string,
    message: string,
  ) {
    super(message);
  }
}

/** Runs a check; its fault becomes a reason, anything else is a bug. */
export const reasonOf = async <T>(reasons: Reason[], check: () => T | Promise<T>): Promise<T | null> => {
  try {
    return await check();
  } catch (error) {
    if (!(error instanceof ProofFault)) throw error;
    reasons.push({ rule: error.rule, message: error.message });
    return null;
  }
};
