import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { EnsembleManifest } from '../../kernel/ensemble-manifest.js';
import { AppError } from '../../kernel/errors.js';
import { inNativeCode } from '../native-section.js';

/** A member in onnxruntime: probabilities of the positive class, in its single precision. */
export interface RuntimeMember {
  readonly name: string;
  readonly predict: (matrix: Float32Array, rows: number) => Promise<Float64Array>;
}

type Member = EnsembleManifest['members'][number];

/** Opens a member in onnxruntime with one thread: the pool has one thread per core already. */
export const openRuntimeMember = async (member: Member, bytes: Uint8Array): Promise<RuntimeMember> => {
  const session = await inNativeCode(() =>
    InferenceSession.create(bytes, {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      logSeverityLevel: 3,
    }),
  );
  return {
    name: member.name,
    predict: async (matrix, rows) => {
      if (rows === 0) return new Float64Array(0);
      const input = new Tensor('float32', matrix, [rows, matrix.length / rows]);
      const output = await inNativeCode(() => session.run({ [member.input]: input }, [member.output]));
      return positiveClass(member, output[member.output], rows);
    },
  };
};

/** The last of two classes, or the only column. The label output is never read: it contradicts the probabilities. */
const positiveClass = (member: Member, output: unknown, rows: number): Float64Array => {
  const data: unknown = output instanceof Tensor ? output.data : null;
  const classes = data instanceof Float32Array ? data.length / rows : 0;
  if (!(data instanceof Float32Array) || (classes !== 1 && classes !== 2)) {
    throw new AppError(
      'PRECONDITION_FAILED',
      `${member.file} gives no probabilities of two classes in ${member.output}`,
      {
        rule: 'model-output',
        member: member.name,
      },
    );
  }
  return Float64Array.from({ length: rows }, (_, row) => data[row * classes + classes - 1] ?? Number.NaN);
};
