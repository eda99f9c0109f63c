import type { ReadDb } from '../../kernel/db.js';
import { AppError, notFound } from '../../kernel/errors.js';
import { Endpoint } from './endpoint.entity.js';

export { approvedVersion } from './approved-version.js';
export {
  createEndpoint,
  requestEndpointResume,
  resumeEndpoint,
  suspendEndpoint,
} from './deployments.commands.js';
export { Endpoint, type EndpointState } from './endpoint.entity.js';

/** The endpoint under this slug, whatever its state; refuses when there is none. */
export const endpointNamed = async (db: ReadDb, slug: string): Promise<Endpoint> => {
  const endpoint = await db.findOne(Endpoint, { slug });
  if (!endpoint) throw notFound(`The endpoint ${slug}`);
  return endpoint;
};

/** Refuses an endpoint that is suspended at this moment. */
export const requireActive = ({ slug, state, suspensionReason, suspendedAt }: Endpoint): void => {
  if (state === 'ACTIVE') return;
  throw new AppError('PRECONDITION_FAILED', `The endpoint ${slug} is suspended: ${suspensionReason ?? ''}`, {
    rule: 'endpoint-suspended',
    endpoint: slug,
    since: suspendedAt,
    next: 'requestEndpointResume',
  });
};
