/** What a person's browser does, as far as the story needs it: cookies, redirects, forms. */
export interface Browser {
  /** Sends one request with the cookies of its host; does not follow redirects. */
  send(url: string, init?: RequestInit): Promise<Response>;
  /** Follows redirects with GET until an answer stands; returns it with its address. */
  follow(url: string, init?: RequestInit): Promise<{ response: Response; url: string }>;
}

const maxRedirects = 20;

const cookiePair = (header: string): readonly [string, string | null] => {
  const pair = header.split(';', 1)[0] ?? '';
  const cut = pair.indexOf('=');
  const expired = /max-age=0(;|$)|expires=thu, 01 jan 1970/i.test(header);
  return [pair.slice(0, cut), expired ? null : pair.slice(cut + 1)];
};

/** Opens a browser with an empty jar. Cookies are kept per host name and port. */
export const openBrowser = (): Browser => {
  const jars = new Map<string, Map<string, string>>();
  const jarOf = (url: URL): Map<string, string> => {
    const jar = jars.get(url.host) ?? new Map<string, string>();
    jars.set(url.host, jar);
    return jar;
  };

  const send = async (address: string, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(address);
    const jar = jarOf(url);
    const headers = new Headers(init.headers);
    const cookies = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    if (cookies !== '') headers.set('cookie', cookies);
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const header of response.headers.getSetCookie()) {
      const [name, value] = cookiePair(header);
      if (value === null) jar.delete(name);
      else jar.set(name, value);
    }
    return response;
  };

  const follow = async (
    address: string,
    init?: RequestInit,
  ): Promise<{ response: Response; url: string }> => {
    let url = address;
    let response = await send(url, init);
    for (let hops = 0; hops < maxRedirects; hops += 1) {
      const location = response.headers.get('location');
      if (location === null) return { response, url };
      await response.body?.cancel();
      url = new URL(location, url).href;
      response = await send(url);
    }
    throw new Error(`Too many redirects from ${address}`);
  };

  return { send, follow };
};
