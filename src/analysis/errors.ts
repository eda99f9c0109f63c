/** Bytes that are not a well-formed ONNX model. The message is a sentence that says what is wrong and where. */
export class OnnxFormatError extends Error {
  override readonly name = 'OnnxFormatError';

  constructor(
    message: string,
    readonly offset: number | null = null,
  ) {
    super(offset === null ? message : `${message} (at byte ${String(offset)})`);
  }
}

/** A well-formed model that the analysis cannot read exactly. `subject` names the operator or the semantic. */
export class UnsupportedModelError extends Error {
  override readonly name = 'UnsupportedModelError';

  constructor(
    readonly subject: string,
    sentence: string,
  ) {
    super(`${subject}: ${sentence}`);
  }
}

/** An exact result that failed its own check. It is never swallowed: a wrong explanation is worse than none. */
export class AdditivityError extends Error {
  override readonly name = 'AdditivityError';

  constructor(
    readonly row: number,
    readonly gap: number,
  ) {
    super(
      `The contributions of row ${String(row)} miss the prediction by ${gap.toExponential(2)}, more than rounding explains. The explanation is withheld.`,
    );
  }
}

/** Arguments that cannot be analysed: shapes that do not fit, values out of range, limits exceeded. */
export class AnalysisInputError extends Error {
  override readonly name = 'AnalysisInputError';
}
