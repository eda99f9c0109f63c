export { defaultLimits, inspectOnnx } from './inspect.js';
export type { PickleScan } from './pickle/scan.js';
export type { Answer, ModelReport, ModelValue } from './report.js';
