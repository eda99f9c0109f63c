import { z } from 'zod';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import { conflict } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { Artifact } from '../artifact.entity.js';
import { artifactPath, foldName } from '../names.js';
import { lockVersion, requireOpen } from './find.js';

const maxArtifacts = 200;

/** Writes down what was stored; run by the upload route only, which knows that the content is there. */
export const recordArtifact = defineCommand({
  name: 'artifact.upload',
  describe: 'Puts a stored file into a version at a path.',
  permission: 'artifact:upload',
  input: z.object({
    versionId: z.uuid(),
    path: artifactPath,
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    bytes: z.int().min(0),
    mediaType: z.string().min(1).max(200),
  }),
  target: (tx, input) => lockVersion(tx, input.versionId),
  handle: async ({ tx, actor, input, target: version, now }) => {
    requireOpen(version);
    const { versionId, path, sha256, bytes, mediaType } = input;
    const others = await tx.find(Artifact, { where: { versionId } });
    const same = others.find((artifact) => artifact.path === path);
    if (same?.sha256 === sha256)
      return { result: { id: same.id, path, sha256, bytes }, audit: nothingChanged };
    requireRoom(others, path, same);
    const id = same?.id ?? newId();
    const content = { sha256, bytes, mediaType, createdBy: actor.id, createdAt: now };
    if (same) await tx.update(Artifact, { id }, content);
    else await tx.insert(Artifact, { id, workspaceId: version.workspaceId, versionId, path, ...content });
    return {
      result: { id, path, sha256, bytes },
      audit: {
        subject: { kind: 'artifact', id },
        changes: { sha256: { from: same?.sha256 ?? null, to: sha256 } },
        facts: { versionId, path, bytes, mediaType },
      },
    };
  },
});

/** A file system that ignores case, and a reader's eye, must not find two files where the manifest names one. */
const requireRoom = (others: readonly Artifact[], path: string, same: Artifact | undefined): void => {
  if (same) return;
  if (others.length >= maxArtifacts) {
    throw conflict(`The version has ${String(maxArtifacts)} artifacts, more are not accepted`, {
      rule: 'artifact-count',
    });
  }
  const alike = others.find((artifact) => foldName(artifact.path) === foldName(path));
  if (!alike) return;
  throw conflict(`The version has an artifact whose path reads the same: ${alike.path}`, {
    rule: 'path-taken',
    path: alike.path,
  });
};
