import type { AddressInfo } from 'node:net';
import process from 'node:process';

/** Says where a server listens, with the log line that our service writes. */
export function announce(address: AddressInfo | string | null): void {
  const { port } = address as AddressInfo;
  process.stdout.write(`${JSON.stringify({ msg: 'listening', address: `http://127.0.0.1:${port}` })}\n`);
}
