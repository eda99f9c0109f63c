import { closeSync, readFileSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { OnnxFormatError, readOnnxModel, type OnnxModel, type OnnxValue } from '../../analysis/index.js';
import type { Answer, ModelReport, ModelValue } from './report.js';
import { zeroRow } from './zero-row.js';

/*
 * Runs in a process of its own, without environment, credentials or network: opens one model file, handed over as
 * standard input, and writes one JSON answer to descriptor 3. Whatever goes wrong here harms nobody else.
 */

const answerTo = 3;
const most = { values: 2000, kinds: 2000, text: 900 };

class Refusal extends Error {}

const short = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error))
    .replace(/[\p{C}\s]+/gu, ' ')
    .slice(0, most.text)
    .trim();

const read = (bytes: Uint8Array): OnnxModel => {
  try {
    return readOnnxModel(bytes);
  } catch (error) {
    if (error instanceof OnnxFormatError)
      throw new Refusal(`it is not a readable ONNX model: ${short(error)}`);
    throw error;
  }
};

const requireInside = (model: OnnxModel): void => {
  const [first] = model.externalData;
  if (!first) return;
  throw new Refusal(
    `it keeps data outside of itself (tensor ${first.tensor.slice(0, 200)} in ${first.location.slice(0, 200)}): save the model as one file`,
  );
};

/** Inputs that the caller gives: older files list constants among the inputs too. */
const realInputs = ({ graph }: OnnxModel): readonly OnnxValue[] => {
  const constants = new Set(graph.initializers.map((tensor) => tensor.name));
  return graph.inputs.filter((input) => !constants.has(input.name));
};

const requireUsable = (model: OnnxModel): void => {
  const counts = [realInputs(model).length, model.graph.outputs.length];
  if (counts.includes(0)) throw new Refusal('it has no inputs or no outputs');
  if (counts.some((count) => count > most.values))
    throw new Refusal(`it has more than ${String(most.values)} inputs or outputs`);
  if (model.operators.size > most.kinds)
    throw new Refusal(`it uses more than ${String(most.kinds)} kinds of operators`);
};

const runtimeVersion = (): string => {
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
  return `onnxruntime ${version}`;
};

/** Loads it as the scorer will, and runs one row of zeros when that can be made. */
const tryOut = async (bytes: Uint8Array, model: OnnxModel): Promise<boolean> => {
  const { InferenceSession, Tensor } = await import('onnxruntime-node');
  const session = await InferenceSession.create(bytes, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    logSeverityLevel: 4,
  }).catch((error: unknown) => {
    throw new Refusal(`it does not load: ${short(error)}`);
  });
  const row = zeroRow(realInputs(model));
  if (!row) return false;
  const feeds = Object.fromEntries(
    [...row].map(([name, { type, data, dims }]) => [name, new Tensor(type, data, [...dims])] as const),
  );
  // Only tensors can be handed out of the runtime; the others are computed all the same.
  const wanted = model.graph.outputs
    .filter(({ elementType }) => !containers.has(elementType))
    .map(({ name }) => name);
  if (wanted.length === 0) return false;
  await session.run(feeds, wanted).catch((error: unknown) => {
    throw new Refusal(`it loads, but does not run on a row of zeros: ${short(error)}`);
  });
  return true;
};

const containers = new Set(['sequence', 'map', 'sparse', 'optional', 'unknown']);

const shown = ({ name, elementType, shape }: OnnxValue): ModelValue => ({
  name,
  elementType,
  shape: shape === null ? null : [...shape],
});

const inspect = async (bytes: Uint8Array): Promise<ModelReport> => {
  const model = read(bytes);
  requireInside(model);
  requireUsable(model);
  const ran = await tryOut(bytes, model);
  return {
    irVersion: model.irVersion,
    producer: [model.producer, model.producerVersion].join(' ').trim().slice(0, 500),
    opsets: Object.fromEntries([...model.opsets].map(([domain, version]) => [domain || 'ai.onnx', version])),
    inputs: realInputs(model).map(shown),
    outputs: model.graph.outputs.map(shown),
    operators: Object.fromEntries(model.operators),
    initializers: model.graph.initializers.length,
    zeroRow: ran,
    runtime: runtimeVersion(),
  };
};

const answerOf = async (): Promise<Answer> => {
  try {
    return { accepted: true, report: await inspect(readFileSync(0)) };
  } catch (error) {
    if (error instanceof Refusal) return { accepted: false, reason: error.message };
    throw error;
  }
};

const text = Buffer.from(JSON.stringify(await answerOf()));
for (let written = 0; written < text.length;) written += writeSync(answerTo, text, written);
closeSync(answerTo);
// The runtime's threads would keep the process for a while; nothing is left to do.
process.exit(0);
