import { basename } from 'node:path';

// A migration begins with its time: 20261123T0900-model-version.ts.
const KEBAB_CASE = /^(\d{8}T\d{4}-)?[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*\.tsx?$/;
const VAGUE = /(^|[-.])(utils?|helpers?|managers?|impl|misc|common)[-.]/;

const fileName = {
  meta: { type: 'problem', schema: [] },
  create: (context) => ({
    Program(node) {
      const name = basename(context.filename);
      if (!KEBAB_CASE.test(name)) context.report({ node, message: `${name} is not kebab-case.` });
      if (VAGUE.test(name)) context.report({ node, message: `${name} does not say what is in it.` });
    },
  }),
};

const documentedExports = {
  meta: { type: 'suggestion', schema: [] },
  create: (context) => ({
    'ExportNamedDeclaration[declaration]'(node) {
      // A decorator may stand between the comment and the export.
      const first = node.declaration.decorators?.[0] ?? node;
      const before = context.sourceCode.getCommentsBefore(first.range[0] < node.range[0] ? first : node);
      const documented = before.some((comment) => comment.type === 'Block' && comment.value.startsWith('*'));
      // Of an overloaded function the first signature carries the sentence.
      if (documented || isLaterOverload(node)) return;
      context.report({ node, message: 'Everything the kernel exports has one sentence of JSDoc.' });
    },
  }),
};

function isLaterOverload(node) {
  const name = node.declaration.id?.name;
  const siblings = node.parent.body;
  const previous = siblings[siblings.indexOf(node) - 1];
  return (
    name !== undefined &&
    previous?.declaration?.type === 'TSDeclareFunction' &&
    previous.declaration.id?.name === name
  );
}

/** Rules of this repository that no published plug-in has. */
export const localRules = { rules: { 'file-name': fileName, 'documented-exports': documentedExports } };
