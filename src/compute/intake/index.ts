export { defaultLimits, inspectOnnx } from './inspect.js';
export type { Answer, ModelReport, ModelValue } from './report.js';
