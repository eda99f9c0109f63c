import { OnnxFormatError } from '../errors.js';
import type {
  ExternalDataReference,
  OnnxAttribute,
  OnnxDimension,
  OnnxGraph,
  OnnxModel,
  OnnxNode,
  OnnxTensor,
  OnnxValue,
} from './model.js';
import { elementTypeName, readEntry, readTensor } from './tensor.js';
import {
  appendFloats,
  appendVarints,
  type Cursor,
  fieldFloat,
  fieldMessage,
  fieldNumber,
  fieldText,
  nextField,
  openMessage,
  openSource,
  spend,
} from './wire.js';

/** Graphs inside attributes of graphs: no exporter goes deeper, and each level reads the bytes once more. */
const DEEPEST_GRAPH = 12;

interface Findings {
  readonly external: ExternalDataReference[];
  readonly operators: Map<string, number>;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Reads what an ONNX file says: versions, graph, attributes, tensors, and what lies outside the file.
 * Work and memory are linear in the length of the bytes. Throws OnnxFormatError on anything malformed.
 */
export function readOnnxModel(bytes: Uint8Array): OnnxModel {
  const source = openSource(bytes);
  const cursor = openMessage(source, 0, bytes.byteLength);
  const findings: Findings = { external: [], operators: new Map() };
  const model: Mutable<Omit<OnnxModel, 'graph'>> & { graph: OnnxGraph | null } = {
    irVersion: 0,
    producer: '',
    producerVersion: '',
    modelVersion: 0,
    opsets: new Map(),
    metadata: new Map(),
    graph: null,
    externalData: findings.external,
    operators: findings.operators,
  };
  const opsets = new Map<string, number>();
  const metadata = new Map<string, string>();
  while (nextField(cursor)) readModelField(cursor, { model, opsets, metadata, findings });
  if (model.graph === null) throw new OnnxFormatError('The file holds no graph, so it is not an ONNX model.');
  return { ...model, opsets, metadata, graph: model.graph };
}

interface ModelParts {
  readonly model: Mutable<Omit<OnnxModel, 'graph'>> & { graph: OnnxGraph | null };
  readonly opsets: Map<string, number>;
  readonly metadata: Map<string, string>;
  readonly findings: Findings;
}

const MODEL_FIELDS: Readonly<Record<number, (cursor: Cursor, parts: ModelParts) => void>> = {
  1: (cursor, { model }) => {
    model.irVersion = fieldNumber(cursor);
  },
  2: (cursor, { model }) => {
    model.producer = fieldText(cursor);
  },
  3: (cursor, { model }) => {
    model.producerVersion = fieldText(cursor);
  },
  5: (cursor, { model }) => {
    model.modelVersion = fieldNumber(cursor);
  },
  7: (cursor, { model, findings }) => {
    // Other readers merge two graphs; a file that means different things to different readers is refused.
    if (model.graph !== null) throw new OnnxFormatError('The file holds two graphs', cursor.start);
    model.graph = readGraph(fieldMessage(cursor), findings, 0);
  },
  8: (cursor, { opsets }) => {
    spend(cursor.source, 'the operator sets');
    opsets.set(...readOpset(fieldMessage(cursor)));
  },
  14: (cursor, { metadata }) => {
    spend(cursor.source, 'the metadata');
    metadata.set(...readEntry(fieldMessage(cursor)));
  },
  20: (cursor, { findings }) => {
    readTrainingInfo(fieldMessage(cursor), findings);
  },
  25: (cursor, { findings }) => {
    readFunction(fieldMessage(cursor), findings);
  },
};

function readModelField(cursor: Cursor, parts: ModelParts): void {
  MODEL_FIELDS[cursor.field]?.(cursor, parts);
}

function readOpset(cursor: Cursor): readonly [domain: string, version: number] {
  let domain = '';
  let version = 0;
  while (nextField(cursor)) {
    if (cursor.field === 1) domain = fieldText(cursor);
    else if (cursor.field === 2) version = fieldNumber(cursor);
  }
  return [domain, version];
}

function readTrainingInfo(cursor: Cursor, findings: Findings): void {
  while (nextField(cursor)) {
    if (cursor.field === 1 || cursor.field === 2) readGraph(fieldMessage(cursor), findings, 1);
  }
}

function readFunction(cursor: Cursor, findings: Findings): void {
  while (nextField(cursor)) {
    if (cursor.field === 7) readNode(fieldMessage(cursor), findings, 1);
    else if (cursor.field === 11) readAttribute(fieldMessage(cursor), findings, 1);
  }
}

function readGraph(cursor: Cursor, findings: Findings, depth: number): OnnxGraph {
  spend(cursor.source, 'a graph');
  if (depth > DEEPEST_GRAPH) throw new OnnxFormatError('Graphs are nested too deeply', cursor.position);
  const inputs: OnnxValue[] = [];
  const outputs: OnnxValue[] = [];
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  let name = '';
  while (nextField(cursor)) {
    if (cursor.field === 1) nodes.push(readNode(fieldMessage(cursor), findings, depth));
    else if (cursor.field === 2) name = fieldText(cursor);
    else if (cursor.field === 5) initializers.push(noted(readTensor(fieldMessage(cursor)), findings));
    else if (cursor.field === 11) inputs.push(readValue(fieldMessage(cursor)));
    else if (cursor.field === 12) outputs.push(readValue(fieldMessage(cursor)));
    else if (cursor.field === 15) readSparse(fieldMessage(cursor), findings);
  }
  return { name, inputs, outputs, nodes, initializers };
}

function readSparse(cursor: Cursor, findings: Findings): void {
  while (nextField(cursor)) {
    if (cursor.field === 1 || cursor.field === 2) noted(readTensor(fieldMessage(cursor)), findings);
  }
}

function noted(tensor: OnnxTensor, findings: Findings): OnnxTensor {
  if (tensor.external !== null) findings.external.push({ tensor: tensor.name, location: tensor.external });
  return tensor;
}

function readNode(cursor: Cursor, findings: Findings, depth: number): OnnxNode {
  spend(cursor.source, 'a node');
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, OnnxAttribute>();
  const text = { name: '', operator: '', domain: '' };
  while (nextField(cursor)) {
    if (cursor.field === 1) pushText(cursor, inputs);
    else if (cursor.field === 2) pushText(cursor, outputs);
    else if (cursor.field === 3) text.name = fieldText(cursor);
    else if (cursor.field === 4) text.operator = fieldText(cursor);
    else if (cursor.field === 7) text.domain = fieldText(cursor);
    else if (cursor.field === 5) {
      const attribute = readAttribute(fieldMessage(cursor), findings, depth);
      if (attributes.has(attribute.name)) {
        throw new OnnxFormatError(`A node has the attribute '${attribute.name}' twice`, cursor.start);
      }
      attributes.set(attribute.name, attribute);
    }
  }
  const key = `${text.domain}:${text.operator}`;
  findings.operators.set(key, (findings.operators.get(key) ?? 0) + 1);
  return { ...text, inputs, outputs, attributes };
}

function pushText(cursor: Cursor, to: string[]): void {
  spend(cursor.source, 'a list of names');
  to.push(fieldText(cursor));
}

interface AttributeParts {
  readonly attribute: Mutable<OnnxAttribute>;
  readonly floats: number[];
  readonly ints: number[];
  readonly texts: string[];
  readonly tensors: OnnxTensor[];
  readonly graphs: OnnxGraph[];
  readonly findings: Findings;
  readonly depth: number;
}

const ATTRIBUTE_FIELDS: Readonly<Record<number, (cursor: Cursor, parts: AttributeParts) => void>> = {
  1: (cursor, { attribute }) => {
    attribute.name = fieldText(cursor);
  },
  2: (cursor, { attribute }) => {
    attribute.float = fieldFloat(cursor);
  },
  3: (cursor, { attribute }) => {
    attribute.int = fieldNumber(cursor);
  },
  4: (cursor, { attribute }) => {
    attribute.text = fieldText(cursor);
  },
  5: (cursor, { attribute, findings }) => {
    attribute.tensor = noted(readTensor(fieldMessage(cursor)), findings);
  },
  6: (cursor, { graphs, findings, depth }) => {
    graphs.push(readGraph(fieldMessage(cursor), findings, depth + 1));
  },
  7: (cursor, { floats }) => {
    appendFloats(cursor, floats);
  },
  8: (cursor, { ints }) => {
    appendVarints(cursor, ints);
  },
  9: (cursor, { texts }) => {
    pushText(cursor, texts);
  },
  10: (cursor, { tensors, findings }) => {
    tensors.push(noted(readTensor(fieldMessage(cursor)), findings));
  },
  11: (cursor, { graphs, findings, depth }) => {
    graphs.push(readGraph(fieldMessage(cursor), findings, depth + 1));
  },
  22: (cursor, { findings }) => {
    readSparse(fieldMessage(cursor), findings);
  },
  23: (cursor, { findings }) => {
    readSparse(fieldMessage(cursor), findings);
  },
};

function readAttribute(cursor: Cursor, findings: Findings, depth: number): OnnxAttribute {
  spend(cursor.source, 'an attribute');
  const floats: number[] = [];
  const ints: number[] = [];
  const texts: string[] = [];
  const tensors: OnnxTensor[] = [];
  const graphs: OnnxGraph[] = [];
  const attribute: Mutable<OnnxAttribute> = {
    name: '',
    float: null,
    int: null,
    text: null,
    floats,
    ints,
    texts,
    tensor: null,
    tensors,
    graphs,
  };
  const parts: AttributeParts = { attribute, floats, ints, texts, tensors, graphs, findings, depth };
  while (nextField(cursor)) ATTRIBUTE_FIELDS[cursor.field]?.(cursor, parts);
  return attribute;
}

function readValue(cursor: Cursor): OnnxValue {
  spend(cursor.source, 'an input or output');
  let name = '';
  let type: Omit<OnnxValue, 'name'> = { elementType: 'unknown', shape: null };
  while (nextField(cursor)) {
    if (cursor.field === 1) name = fieldText(cursor);
    else if (cursor.field === 2) type = readType(fieldMessage(cursor));
  }
  return { name, ...type };
}

const CONTAINER_TYPES: Readonly<Record<number, string>> = {
  4: 'sequence',
  5: 'map',
  8: 'sparse',
  9: 'optional',
};

function readType(cursor: Cursor): Omit<OnnxValue, 'name'> {
  let type: Omit<OnnxValue, 'name'> = { elementType: 'unknown', shape: null };
  while (nextField(cursor)) {
    if (cursor.field === 1) type = readTensorType(fieldMessage(cursor));
    else type = { elementType: CONTAINER_TYPES[cursor.field] ?? type.elementType, shape: type.shape };
  }
  return type;
}

function readTensorType(cursor: Cursor): Omit<OnnxValue, 'name'> {
  let elementType = 'unknown';
  let shape: OnnxDimension[] | null = null;
  while (nextField(cursor)) {
    if (cursor.field === 1) elementType = elementTypeName(fieldNumber(cursor));
    else if (cursor.field === 2) shape = readShape(fieldMessage(cursor));
  }
  return { elementType, shape };
}

function readShape(cursor: Cursor): OnnxDimension[] {
  const shape: OnnxDimension[] = [];
  while (nextField(cursor)) {
    if (cursor.field !== 1) continue;
    spend(cursor.source, 'a shape');
    shape.push(readDimension(fieldMessage(cursor)));
  }
  return shape;
}

function readDimension(cursor: Cursor): OnnxDimension {
  let dimension: OnnxDimension = null;
  while (nextField(cursor)) {
    if (cursor.field === 1) dimension = fieldNumber(cursor);
    else if (cursor.field === 2) dimension = fieldText(cursor);
  }
  return dimension;
}
