import type { CookieSerializeOptions } from '@fastify/cookie';

/** The names under which this installation keeps its cookies. */
export interface CookieNames {
  readonly session: string;
  /** Binds a sign-in under way to the browser that began it. */
  readonly signIn: string;
}

/** Cookies of one installation: their names, and how they are set. */
export interface Cookies {
  readonly names: CookieNames;
  readonly options: CookieSerializeOptions;
}

/**
 * Over https the names carry the `__Host-` prefix, so that no neighbouring host can set them. Over http (development
 * on this machine) browsers refuse that prefix, and cookies do not know ports: the port goes into the name.
 */
export const cookiesFor = (url: string): Cookies => {
  const { protocol, port } = new URL(url);
  const secure = protocol === 'https:';
  const named = (name: string): string =>
    secure ? `__Host-countersign-${name}` : `countersign-${name}-${port || '80'}`;
  return {
    names: { session: named('session'), signIn: named('sign-in') },
    options: { path: '/', httpOnly: true, sameSite: 'lax', secure },
  };
};
