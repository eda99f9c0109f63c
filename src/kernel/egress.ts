import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** What an installation lets requests of ours reach beyond the public internet. */
export interface EgressRules {
  /** In development: http and https to this very machine, on any port. */
  readonly allowLoopback: boolean;
}

/** The ports on which people offer https to the world. */
const allowedPorts: ReadonlySet<string> = new Set(['', '443', '8443']);

/** Public addresses that a cloud answers with its own secrets: the wire server of Azure. */
const wellKnownInside: ReadonlySet<string> = new Set(['168.63.129.16']);

/** What the world's routers carry; everything else in IPv6 is local, translated or not given out. */
const globalUnicast = ipaddr.parseCIDR('2000::/3');

/** Names that never leave a network, whatever a resolver says of them. */
const insideNames =
  /(^|\.)(localhost|local|internal|intranet|lan|home|corp|private|arpa|onion|test|invalid)$/;

const withoutBrackets = (host: string): string => host.replace(/^\[(.*)\]$/, '$1');

const withoutDot = (host: string): string => host.replace(/\.$/, '');

const isLoopback = (address: string): boolean =>
  ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback';

/** Whether a host of a URL names this very machine. */
export const isLoopbackHost = (host: string): boolean => {
  const name = withoutDot(withoutBrackets(host)).toLowerCase();
  return name === 'localhost' || name.endsWith('.localhost') || isLoopback(name);
};

const isPublic = (address: string): boolean => {
  if (!ipaddr.isValid(address)) return false;
  // An IPv4 address in the dress of an IPv6 one is judged as what it is.
  const parsed = ipaddr.process(address);
  if (parsed.range() !== 'unicast' || wellKnownInside.has(parsed.toString())) return false;
  return parsed.kind() === 'ipv4' || parsed.match(globalUnicast);
};

/**
 * Why a connection to an address must not be made, or null. Asked for every address that a name resolves to and for
 * every connection that is made, so a name that changes its mind gains nothing.
 */
export const addressFault = (address: string, host: string, rules: EgressRules): string | null => {
  if (rules.allowLoopback && isLoopbackHost(host)) {
    return isLoopback(address) ? null : 'the address is not of this machine';
  }
  return isPublic(address) ? null : 'the address is not a public one';
};

const nameFault = (host: string): string | null => {
  const name = withoutDot(host).toLowerCase();
  if (insideNames.test(name) || !name.includes('.')) return 'the host is a name of an internal network';
  return null;
};

const hostFault = (host: string, rules: EgressRules): string | null => {
  const bare = withoutBrackets(host);
  return isIP(bare) === 0 ? nameFault(bare) : addressFault(bare, host, rules);
};

/**
 * Why a request must not go to a URL, or null. The URL parser has written decimal, octal and hexadecimal hosts as
 * addresses before this looks at them.
 */
export const urlFault = (url: URL, rules: EgressRules): string | null => {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'only https is spoken';
  if (url.username !== '' || url.password !== '')
    return 'a name and a password do not belong into the address';
  if (isLoopbackHost(url.hostname)) return rules.allowLoopback ? null : 'the host is this very machine';
  if (url.protocol !== 'https:') return 'only https is spoken';
  if (!allowedPorts.has(url.port)) return 'the port is neither 443 nor 8443';
  return hostFault(url.hostname, rules);
};
