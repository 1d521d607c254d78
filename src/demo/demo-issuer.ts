import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { Clock } from '../clock.ts';

/** A demo login server: issues tokens, and publishes the key that verifies them. */
export type DemoIssuer = {
  /** The `iss` of its tokens. */
  readonly issuer: string;
  readonly jwksUrl: string;
  readonly jwks: { readonly keys: readonly object[] };
  /**
   * A token for one person, valid for 1 h. The given claims replace those of the demo, including
   * `iss` and `aud`.
   */
  tokenFor(subject: string, claims?: Readonly<Record<string, unknown>>): Promise<string>;
  close(): Promise<void>;
};

export type DemoIssuerOptions = {
  readonly clock: Clock;
  readonly host: string;
  readonly port: number;
  /** The origin under which other processes reach it. Default: host and port. */
  readonly origin?: string;
  /** HTML to serve at `/`. Without it, only `/jwks` and `/token?sub=…` are served. */
  readonly page?: string;
};

/** Starts a demo issuer with a new key pair, which exists only until it closes. */
export async function startDemoIssuer(options: DemoIssuerOptions): Promise<DemoIssuer> {
  const { clock, host, port, page } = options;
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'demo', alg: 'ES256', use: 'sig' }] };
  const server = createServer((request, response) => {
    // An error that leaves this handler would end the process.
    respond(request.url ?? '/', response).catch(() => {
      if (response.headersSent) response.destroy();
      else response.writeHead(400).end();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve);
  });
  const origin = options.origin ?? `http://${host}:${(server.address() as AddressInfo).port}`;

  return { issuer: `${origin}/`, jwksUrl: `${origin}/jwks`, jwks, tokenFor, close };

  async function respond(requestTarget: string, response: ServerResponse): Promise<void> {
    const url = URL.parse(requestTarget, 'http://issuer');
    if (url === null) response.writeHead(400).end();
    else if (url.pathname === '/jwks')
      response.setHeader('content-type', 'application/json').end(JSON.stringify(jwks));
    else if (url.pathname === '/token') response.end(await tokenFor(url.searchParams.get('sub') ?? 'alice'));
    else if (url.pathname === '/' && page)
      response.setHeader('content-type', 'text/html; charset=utf-8').end(page);
    else response.writeHead(404).end();
  }

  function tokenFor(subject: string, claims: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const issuedAt = Math.floor(clock().getTime() / 1000);
    const byDefault = { iss: `${origin}/`, aud: 'uploads', scope: 'uploads:write' };
    const times = { iat: issuedAt, exp: issuedAt + 3600 };
    return new SignJWT({ ...byDefault, ...claims, sub: subject, ...times })
      .setProtectedHeader({ alg: 'ES256', kid: 'demo', typ: 'JWT' })
      .sign(privateKey);
  }

  function close(): Promise<void> {
    return new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }
}
