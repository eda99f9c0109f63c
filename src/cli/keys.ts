import { processEnvironment, readConfig } from '../config.js';
import { createSigningKeys, openSigner, rotateSigningKeys } from '../kernel/signer.js';
import { CliError } from './fault.js';
import { print } from './terminal.js';

const list = async (): Promise<void> => {
  const { signingKeys, url: issuer } = readConfig(processEnvironment());
  const { publishedKeys } = await openSigner(signingKeys.path, { createIfMissing: false, issuer });
  for (const { keyId, signs, pem } of publishedKeys) {
    print(`${keyId} ${signs ? 'signs' : 'verifies what it signed before'}\n${pem.trimEnd()}`);
  }
};

const rotate = async (): Promise<void> => {
  const { signingKeys } = readConfig(processEnvironment());
  const { former, current } = await rotateSigningKeys(signingKeys.path);
  print(`${current} signs from the next start of each process on.\n${former} is still believed.`);
};

/** Makes, shows and changes the keys that sign; prints no private one. */
export const runKeys = async ([action = 'list', path]: readonly string[]): Promise<void> => {
  if (action === 'list') return list();
  if (action === 'rotate') return rotate();
  if (action !== 'create' || path === undefined) {
    throw new CliError('Say what to do: countersign keys [list], keys rotate, keys create FILE', 2);
  }
  await createSigningKeys(path);
  print(`${path} holds the signing keys. Whoever has it can sign in your name.`);
};
