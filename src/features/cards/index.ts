export { cardField, governedFieldNames } from './card-fields.js';
export { updateCard } from './cards.commands.js';
export { CardRevision } from './card-revision.entity.js';
export { ModelCard, type AttestedField } from './model-card.entity.js';
export { governedFields, readCard, type CardView, type GovernedField } from './read-card.js';
export { frameworkGaps, type FrameworkGaps } from './framework-gaps.js';
export { frameworkPacks } from './frameworks.js';
