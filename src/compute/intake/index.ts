export { defaultLimits, inspectOnnx, InspectionInterrupted, type InspectionLimits } from './inspect.js';
export type { Answer, ModelReport, ModelValue } from './report.js';
