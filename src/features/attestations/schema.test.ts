import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { installationRoot } from '../../kernel/root.js';
import { predicateSchema } from './proof/statement.js';

test('docs/attestation.schema.json says what is signed', async () => {
  const file = join(installationRoot, 'docs', 'attestation.schema.json');
  const options = await resolveConfig(file);
  const text = JSON.stringify(z.toJSONSchema(predicateSchema));

  await expect(await format(text, { ...options, parser: 'json' })).toMatchFileSnapshot(file);
});
