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

/** The endpoint under this slug; refuses when there is none or when it is suspended at this moment. */
export const activeEndpoint = async (db: ReadDb, slug: string): Promise<Endpoint> => {
  const endpoint = await db.findOne(Endpoint, { slug });
  if (!endpoint) throw notFound(`The endpoint ${slug}`);
  if (endpoint.state === 'ACTIVE') return endpoint;
  throw new AppError(
    'PRECONDITION_FAILED',
    `The endpoint ${slug} is suspended: ${endpoint.suspensionReason ?? ''}`,
    {
      rule: 'endpoint-suspended',
      endpoint: slug,
      since: endpoint.suspendedAt,
      next: 'requestEndpointResume',
    },
  );
};
