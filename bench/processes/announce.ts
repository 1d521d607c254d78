import type { AddressInfo } from 'node:net';
import process from 'node:process';

/** Prints the address of a server as the log line that the service writes. */
export function announce(address: AddressInfo | string | null): void {
  const { port } = address as AddressInfo;
  process.stdout.write(`${JSON.stringify({ msg: 'listening', address: `http://127.0.0.1:${port}` })}\n`);
}
