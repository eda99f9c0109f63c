export { documentFinder } from './documents.queries.js';
export { registerDocuments } from './documents.commands.js';
export { TrustedDocument } from './trusted-document.entity.js';
