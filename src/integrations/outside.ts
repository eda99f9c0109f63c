import type { ArtifactStore, ChatRoom, Outside } from '../kernel/ports.js';
import { AppError } from '../kernel/errors.js';
import { openFileStore } from './artifact-store.file.js';

/** Where artifacts are kept. */
export type ArtifactsPlace =
  | { readonly kind: 'file'; readonly folder: string }
  | {
      readonly kind: 's3';
      readonly bucket: string;
      readonly prefix: string;
      readonly endpoint: string | null;
      readonly region: string;
    };

/** Opens the store that is configured; the S3 client is loaded only where it is used. */
export const openArtifacts = async (place: ArtifactsPlace): Promise<ArtifactStore> => {
  if (place.kind === 'file') return openFileStore(place.folder);
  const { openS3Store } = await import('./artifact-store.s3.js');
  return openS3Store(place);
};

/** Where nobody is told anything, because no room is configured. */
export const noChat: ChatRoom = {
  configured: false,
  post: () =>
    Promise.reject(
      new AppError(
        'PRECONDITION_FAILED',
        'No chat is configured; set SLACK_BOT_TOKEN to have messages posted',
      ),
    ),
};

/** Puts together what a process may reach of the outside world. */
export const openOutside = async (
  place: ArtifactsPlace,
  parts: Omit<Outside, 'artifacts'>,
): Promise<Outside> => ({ ...parts, artifacts: await openArtifacts(place) });
