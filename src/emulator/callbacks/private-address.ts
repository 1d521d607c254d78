import { lookup as dnsLookup } from 'node:dns';
import { BlockList, isIPv4, type LookupFunction } from 'node:net';

/** The addresses that are not on the public internet (IANA special-purpose registry). */
const PRIVATE = new BlockList();
for (const network of [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.0.0.0/24', '192.168.0.0/16', '198.18.0.0/15', '224.0.0.0/4', '240.0.0.0/4'],
]) {
  const [address = '', prefix] = network.split('/');
  PRIVATE.addSubnet(address, Number(prefix), 'ipv4');
}

/** Whether the host of a URL is a private IPv4 address, or a name of the machine itself. */
export function isPrivateHost(hostname: string): boolean {
  if (isIPv4(hostname)) return PRIVATE.check(hostname, 'ipv4');
  return /(?:^|\.)localhost\.?$/i.test(hostname);
}

/**
 * Looks up IPv4 addresses only, as OSS does. The lookup of a name that has a private address fails,
 * unless these are allowed.
 */
export function createLookup(allowPrivateAddresses: boolean, resolve = dnsLookup): LookupFunction {
  return (hostname, _options, callback) => {
    resolve(hostname, { family: 4, all: false }, (error, address, family) => {
      if (error || allowPrivateAddresses || !isPrivateHost(address)) callback(error, address, family);
      else callback(new Error('The address of the host is private.'), address, family);
    });
  };
}
