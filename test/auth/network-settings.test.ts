import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { createCertificate } from '../support/certificate.ts';
import { createTestIssuer } from '../support/tokens.ts';

// The service fetches keys with the fetch of its process. These tests check that the Node.js
// settings in docs/identity.md apply to it.

const HOST = 'login.private.test';
const run = promisify(execFile);

async function listen(
  server: Pick<Server, 'listen' | 'close' | 'address' | 'closeAllConnections'>,
): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Fetches an issuer's keys in a separate process with these settings, and returns their status. */
async function keysStatus(url: string, env: Readonly<Record<string, string>>): Promise<unknown> {
  const module = new URL('../../src/auth/keys/create-key-sources.ts', import.meta.url).href;
  const script = `
    const { createKeySources } = await import(${JSON.stringify(module)});
    const keys = createKeySources({ clock: () => new Date(0), fetch: globalThis.fetch })(
      { issuer: 'i', audience: 'a', algorithms: ['ES256'], keys: { kind: 'jwksUrl', url: ${JSON.stringify(url)} } });
    await keys.load();
    process.stdout.write(JSON.stringify(keys.status()));`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], {
    env: { PATH: process.env.PATH ?? '', ...env },
  });
  return JSON.parse(stdout);
}

it('NODE_EXTRA_CA_CERTS makes a private CA trusted, and NODE_USE_ENV_PROXY sends the request through the proxy', async () => {
  const { key, cert } = createCertificate([HOST]);
  const issuer = createTestIssuer();
  const issuerPort = await listen(
    createHttpsServer({ key, cert }, (_request, response) => response.end(JSON.stringify(issuer.jwks))),
  );
  const tunnels: string[] = [];
  const proxy = createHttpServer((_request, response) => response.writeHead(405).end());
  proxy.on('connect', (request, client) => {
    tunnels.push(request.url ?? '');
    // Only the proxy resolves the name.
    const upstream = connect(issuerPort, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    for (const socket of [client, upstream]) socket.on('error', () => socket.destroy());
  });
  const proxyUrl = `http://127.0.0.1:${await listen(proxy)}`;
  const directory = await mkdtemp(join(tmpdir(), 'oss-presign-ca-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const caFile = join(directory, 'ca.pem');
  await writeFile(caFile, cert);
  const url = `https://${HOST}/jwks`;
  const viaProxy = { NODE_USE_ENV_PROXY: '1', HTTPS_PROXY: proxyUrl };

  const [withBoth, withoutCa] = await Promise.all([
    keysStatus(url, { ...viaProxy, NODE_EXTRA_CA_CERTS: caFile }),
    keysStatus(url, viaProxy),
  ]);

  expect(withBoth).toStrictEqual({ keysLoaded: true, fetchedAt: '1970-01-01T00:00:00.000Z' });
  expect(withoutCa).toStrictEqual({
    keysLoaded: false,
    lastError: `the certificate of ${HOST} is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT); for a private CA set NODE_EXTRA_CA_CERTS`,
  });
  // Only the proxy knows the name, so both requests went through it.
  expect(tunnels).toStrictEqual([`${HOST}:443`, `${HOST}:443`]);
});
