import { parse } from 'yaml';
import { z } from 'zod';

/** The file that makes a folder one that MLflow can load. */
export const modelDescription = 'MLmodel';

const maxFlavours = 50;

const described = z.object({
  flavors: z.record(z.string().min(1).max(200), z.record(z.string(), z.unknown()).nullable()),
  mlflow_version: z.string().max(100).nullish(),
  model_id: z.string().max(100).nullish(),
  signature: z
    .object({
      inputs: z.string().max(1_000_000).nullish(),
      outputs: z.string().max(1_000_000).nullish(),
      params: z.string().max(1_000_000).nullish(),
    })
    .nullish(),
});

/** What a folder of MLflow says of itself. */
export interface MlmodelReport {
  readonly flavours: readonly string[];
  readonly mlflowVersion: string | null;
  readonly loaderModule: string | null;
  readonly signature: Readonly<Record<'inputs' | 'outputs' | 'params', unknown>> | null;
}

/** Either what it says, or why it cannot be read. */
export type MlmodelAnswer = { readonly report: MlmodelReport } | { readonly fault: string };

const jsonOf = (text: string | null | undefined): unknown => {
  if (!text) return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
};

const readYaml = (text: string): unknown => {
  try {
    // Aliases of YAML can make a small text enormous; descriptions of models use none.
    return parse(text, { maxAliasCount: 0, logLevel: 'silent' }) as unknown;
  } catch {
    return null;
  }
};

type Described = z.output<typeof described>;

const signatureOf = ({ signature }: Described): MlmodelReport['signature'] =>
  signature
    ? {
        inputs: jsonOf(signature.inputs),
        outputs: jsonOf(signature.outputs),
        params: jsonOf(signature.params),
      }
    : null;

const reportOf = (given: Described, flavours: readonly string[]): MlmodelReport => {
  const loader = given.flavors['python_function']?.['loader_module'];
  return {
    flavours,
    mlflowVersion: given.mlflow_version ?? null,
    loaderModule: typeof loader === 'string' ? loader.slice(0, 200).toWellFormed() : null,
    signature: signatureOf(given),
  };
};

/** Reads the description of a folder of MLflow; nothing of it is trusted. */
export const readMlmodel = (text: string): MlmodelAnswer => {
  const parsed = described.safeParse(readYaml(text));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return {
      fault: `${modelDescription}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is not valid'}`,
    };
  }
  const flavours = Object.keys(parsed.data.flavors).sort();
  if (flavours.length === 0) return { fault: `${modelDescription}: it names no flavour` };
  if (flavours.length > maxFlavours) return { fault: `${modelDescription}: it names too many flavours` };
  return { report: reportOf(parsed.data, flavours) };
};
