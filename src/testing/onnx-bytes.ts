/*
 * Small ONNX files, put together byte by byte: for tests of what is refused, which no exporter writes.
 */

const varint = (value: number): number[] => {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
};

/** A field with bytes or text. */
const part = (field: number, content: Uint8Array | string): Buffer => {
  const body = Buffer.from(content);
  return Buffer.concat([Buffer.from([...varint(field * 8 + 2), ...varint(body.length)]), body]);
};

/** A field with a number. */
const number = (field: number, value: number): Buffer =>
  Buffer.from([...varint(field * 8), ...varint(value)]);

const message = (...fields: readonly Buffer[]): Buffer => Buffer.concat(fields);

/** A value of the graph: float, of the given dimensions; null is an open one. */
const valueInfo = (name: string, dims: readonly (number | null)[]): Buffer => {
  const shape = message(...dims.map((dim) => part(1, dim === null ? part(2, 'batch') : number(1, dim))));
  return message(part(1, name), part(2, part(1, message(number(1, 1), part(2, shape)))));
};

/** A tensor of one dimension whose values are in another file. */
const externalTensor = (name: string, location: string): Buffer => {
  const entry = message(part(1, 'location'), part(2, location));
  return message(number(1, 4), number(2, 1), part(8, name), part(13, entry), number(14, 1));
};

/** A constant of ones. */
const tensor = (name: string, size: number): Buffer => {
  const raw = Buffer.from(new Float32Array(size).fill(1).buffer);
  return message(number(1, size), number(2, 1), part(8, name), part(9, raw));
};

const node = (operator: string, inputs: readonly string[], output: string, domain = ''): Buffer =>
  message(
    ...inputs.map((name) => part(1, name)),
    part(2, output),
    part(4, operator),
    ...(domain ? [part(7, domain)] : []),
  );

const model = (graph: Buffer): Buffer =>
  message(number(1, 8), part(2, 'by hand'), part(7, graph), part(8, message(part(1, ''), number(2, 15))));

/** `y = x + weights`; the input is called as given. */
export const addModel = (options: { input?: string; width?: number } = {}): Buffer => {
  const { input = 'x', width = 4 } = options;
  return model(
    message(
      part(1, node('Add', [input, 'weights'], 'y')),
      part(2, 'graph'),
      part(5, tensor('weights', width)),
      part(11, valueInfo(input, [null, width])),
      part(12, valueInfo('y', [null, width])),
    ),
  );
};

/** The same with its weights in another file. */
export const externalDataModel = (location: string): Buffer =>
  model(
    message(
      part(1, node('Add', ['x', 'weights'], 'y')),
      part(2, 'graph'),
      part(5, externalTensor('weights', location)),
      part(11, valueInfo('x', [null, 4])),
      part(12, valueInfo('y', [null, 4])),
    ),
  );

/** A model with an operator that no runtime knows. */
export const unknownOperatorModel = (): Buffer =>
  model(
    message(
      part(1, node('Divine', ['x'], 'y', 'com.example')),
      part(2, 'graph'),
      part(11, valueInfo('x', [null, 4])),
      part(12, valueInfo('y', [null, 4])),
    ),
  );

/** Loads, and needs more memory than any process gets as soon as it runs: doubles a row over and over. */
export const bombModel = (doublings: number): Buffer => {
  const names = ['x', ...Array.from({ length: doublings }, (_, index) => `d${String(index)}`), 'y'];
  const axis = message(part(1, 'axis'), number(3, 0), number(20, 2));
  const doubled = names.slice(1).map((output, index) => {
    const from = names[index] ?? 'x';
    return part(1, message(node('Concat', [from, from], output), part(5, axis)));
  });
  return model(
    message(
      ...doubled,
      part(2, 'graph'),
      part(11, valueInfo('x', [null, 1024])),
      part(12, valueInfo('y', [null, 1024])),
    ),
  );
};
