import { describe, expect, test } from 'vitest';
import { addressFault, urlFault } from './egress.js';

const outside = { allowLoopback: false };
const development = { allowLoopback: true };

describe('a request must not go to', () => {
  test.each([
    ['a loopback address', 'https://127.0.0.1/'],
    ['another one of the 127s', 'https://127.8.9.1/'],
    ['a short address', 'https://127.1/'],
    ['a decimal address', 'https://2130706433/'],
    ['an octal address', 'https://0177.0.0.1/'],
    ['a hexadecimal address', 'https://0x7f.0x0.0x0.0x1/'],
    ['one hexadecimal number', 'https://0x7f000001/'],
    ['digits that look like digits', 'https://１２７.０.０.１/'],
    ['an address that is percent-encoded', 'https://%31%32%37.0.0.1/'],
    ['nowhere', 'https://0.0.0.0/'],
    ['0', 'https://0/'],
    ['10/8', 'https://10.1.2.3/'],
    ['172.16/12', 'https://172.31.255.254/'],
    ['192.168/16', 'https://192.168.1.1/'],
    ['a carrier’s network', 'https://100.64.0.1/'],
    ['the metadata of Alibaba', 'https://100.100.100.200/'],
    ['the metadata of AWS, Azure and Google', 'https://169.254.169.254/latest/meta-data/'],
    ['the metadata of Oracle', 'https://192.0.0.192/'],
    ['the wire server of Azure', 'https://168.63.129.16/'],
    ['the wire server of Azure in IPv6', 'https://[::ffff:168.63.129.16]/'],
    ['the metadata of AWS over IPv6', 'https://[fd00:ec2::254]/'],
    ['a benchmark network', 'https://198.18.0.1/'],
    ['a multicast address', 'https://224.0.0.1/'],
    ['the broadcast', 'https://255.255.255.255/'],
    ['what is reserved', 'https://240.0.0.1/'],
    ['an example network', 'https://192.0.2.1/'],
    ['IPv6 loopback', 'https://[::1]/'],
    ['IPv6 nowhere', 'https://[::]/'],
    ['IPv6 link-local', 'https://[fe80::1]/'],
    ['IPv6 unique local', 'https://[fc00::1]/'],
    ['IPv6 site-local', 'https://[fec0::1]/'],
    ['IPv4 in IPv6', 'https://[::ffff:127.0.0.1]/'],
    ['IPv4 in IPv6, in hexadecimal', 'https://[::ffff:a00:1]/'],
    ['IPv4 in old IPv6', 'https://[::7f00:1]/'],
    ['IPv4 behind NAT64', 'https://[64:ff9b::7f00:1]/'],
    ['IPv4 behind 6to4', 'https://[2002:7f00:1::]/'],
    ['IPv4 behind Teredo', 'https://[2001:0:7f00:1::]/'],
    ['IPv6 documentation', 'https://[2001:db8::1]/'],
    ['localhost', 'https://localhost/'],
    ['localhost with a dot', 'https://localhost./'],
    ['LOCALHOST', 'https://LOCALHOST/'],
    ['a name below localhost', 'https://db.localhost/'],
    ['the metadata of Google by name', 'https://metadata.google.internal/'],
    ['a name of the local network', 'https://printer.local/'],
    ['a name of the home', 'https://router.home.arpa/'],
    ['a name without a dot', 'https://postgres/'],
    ['a name without a dot but one at the end', 'https://postgres./'],
    ['http', 'http://hooks.example.com/'],
    ['a file', 'file:///etc/passwd'],
    ['gopher', 'gopher://hooks.example.com/'],
    ['javascript', 'javascript:alert(1)'],
    ['a place with a password', 'https://user:secret@hooks.example.com/'],
    ['a place with a name', 'https://user@hooks.example.com/'],
    ['the port of ssh', 'https://hooks.example.com:22/'],
    ['the port of PostgreSQL', 'https://hooks.example.com:5432/'],
    ['port 80', 'https://hooks.example.com:80/'],
  ])('%s: %s', (_, url) => {
    expect(urlFault(new URL(url), outside)).toEqual(expect.any(String));
  });

  test.each([
    ['http://127.0.0.1:9/', false],
    ['http://localhost:8080/hook', false],
    ['https://[::1]:8443/', false],
    ['http://10.0.0.1/', true],
    ['https://169.254.169.254/', true],
    ['http://hooks.example.com/', true],
    ['http://[::ffff:10.0.0.1]/', true],
    ['https://localhost.evil.example:22/', true],
  ])('in development: %s (%s)', (url, isRefused) => {
    expect(urlFault(new URL(url), development) !== null).toBe(isRefused);
  });
});

test.each([
  'https://hooks.example.com/',
  'https://hooks.example.com:8443/path?sig=x',
  'https://93.184.215.14/',
  'https://[2606:4700::1111]/',
  'https://bücher.example/',
])('a request may go to %s', (url) => {
  expect(urlFault(new URL(url), outside)).toBeNull();
});

describe('a name that resolves to', () => {
  test.each([
    '127.0.0.1',
    '::1',
    '::ffff:192.168.0.1',
    '::ffff:168.63.129.16',
    '169.254.169.254',
    '',
    'no address',
    '::7f00:1',
  ])('%j is not connected to, also in development', (address) => {
    expect(addressFault(address, 'hooks.example.com', outside)).toEqual(expect.any(String));
    expect(addressFault(address, 'hooks.example.com', development)).toEqual(expect.any(String));
  });

  test('a public address is connected to; localhost is not, wherever it leads', () => {
    expect(addressFault('93.184.215.14', 'hooks.example.com', outside)).toBeNull();
    expect(addressFault('93.184.215.14', 'localhost', development)).toEqual(expect.any(String));
  });
});
