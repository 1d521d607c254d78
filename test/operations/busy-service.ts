import { downloadRule } from '../support/downloads.ts';
import { mediaTarget, ownFilesRule, policyWith, testIssuerEntry } from '../support/policies.ts';
import { serviceKeysFile } from '../support/service-keys.ts';
import { json, startTestServer } from '../support/test-server.ts';
import { createTestIssuer, type TestIssuer } from '../support/tokens.ts';

const REQUEST_ID = '51524FBF3C5D68394A371BEC';
const UPLOAD_ID = '0004B9894A22E5B1888A1E29F8236E2D';

/** The statuses of {@link makeRequests}. */
export const STATUSES = [201, 201, 201, 403, 401, 503, 409, 409, 502, 401, 200];

export type Surroundings = {
  /** Trusts an issuer whose keys can be fetched, and one whose keys cannot. */
  readonly policyYaml: string;
  readonly issuer: TestIssuer;
  readonly brokenIssuer: TestIssuer;
  /** For SERVICE_KEYS_FILE. */
  readonly serviceKeys: string;
  /** For HOOK_SECRET. */
  readonly hookSecret: string;
  /** Returns credentials that expire one hour after `now`. */
  readonly credentialsUri: string;
};

/** Starts the servers that a service needs, over real HTTP, until the test ends. */
export async function startSurroundings(now: Date): Promise<Surroundings> {
  const issuer = createTestIssuer();
  const brokenIssuer = createTestIssuer({ issuer: 'https://broken.test/' });
  const keys = json(issuer.jwks);
  const credentials = json({
    Code: 'Success',
    AccessKeyId: 'STS.TestKey',
    AccessKeySecret: 'TestSecret0123456789',
    SecurityToken: 'TheSessionToken',
    Expiration: new Date(now.getTime() + 3_600_000).toISOString().replace(/\.\d+Z$/, 'Z'),
  });
  const broken = json({}, 500);
  // The bucket has the same object under every key, and multipart uploads without parts. It is what
  // is granted for a file name; for a key, it is the object of another upload.
  const stored = {
    'content-length': '1',
    'content-type': 'image/png',
    'content-disposition': 'attachment',
    etag: '"5D41402ABC4B2A76B9719D911017C592"',
    'last-modified': 'Mon, 23 Nov 2026 10:00:00 GMT',
    'x-oss-object-type': 'Normal',
    'x-oss-request-id': REQUEST_ID,
  };
  const { origin } = await startTestServer((request, response) => {
    if (request.method === 'HEAD') return void response.writeHead(200, stored).end();
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://oss.test');
    const key = pathname.split('/').slice(2).join('/');
    const isBegun = searchParams.has('uploads');
    if (isBegun || searchParams.has('uploadId')) {
      response.setHeader('x-oss-request-id', REQUEST_ID);
      return void response.end(isBegun ? begunUpload(key) : noParts(key));
    }
    const respond = { '/keys': keys, '/credentials': credentials }[request.url ?? ''] ?? broken;
    respond(request, response);
  });
  const policyYaml = policyWith({
    targets: { media: mediaTarget({ serviceEndpoint: origin }) },
    rules: [
      ownFilesRule({
        transfers: ['put', 'multipart'],
        callback: true,
        notify: { url: `${origin}/broken`, secretEnv: 'HOOK_SECRET' },
      }),
      downloadRule(),
    ],
    issuers: [
      testIssuerEntry({ jwksFile: undefined, jwksUrl: `${origin}/keys` }),
      testIssuerEntry({
        issuer: brokenIssuer.issuer,
        jwksFile: undefined,
        jwksUrl: `${origin}/broken`,
      }),
    ],
  });
  return {
    policyYaml,
    issuer,
    brokenIssuer,
    serviceKeys: serviceKeysFile('2026-11'),
    hookSecret: `whsec_${Buffer.from('a secret of thirty-two characters').toString('base64')}`,
    credentialsUri: `${origin}/credentials`,
  };
}

/** The response to InitiateMultipartUpload. */
function begunUpload(key: string): string {
  return `<InitiateMultipartUploadResult><Bucket>acme-media</Bucket><Key>${key}</Key><UploadId>${UPLOAD_ID}</UploadId></InitiateMultipartUploadResult>`;
}

/** The response to ListParts. */
function noParts(key: string): string {
  return `<ListPartsResult><Bucket>acme-media</Bucket><Key>${key}</Key><UploadId>${UPLOAD_ID}</UploadId><IsTruncated>false</IsTruncated></ListPartsResult>`;
}

/**
 * Makes one request of each kind: granted with a key, with a file name and in parts, denied, without
 * a valid token, with an issuer whose keys cannot be fetched, a confirmation of an object that
 * differs, one of an upload without its parts, one that the backend is not notified of, a callback
 * without a signature, and a download.
 * @returns {@link STATUSES}, if the service works.
 */
export async function makeRequests(
  url: string,
  { issuer, brokenIssuer }: Surroundings,
  now: Date,
): Promise<readonly number[]> {
  const claims = { exp: now.getTime() / 1000 + 600 };
  const token = await issuer.sign(claims);
  const photo = { key: 'users/alice/photo.png', contentType: 'image/png', contentLength: 1 };
  const post = async (path: string, body: object, bearer = token) => {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as { readonly id?: string } };
  };
  const granted = await post('/v1/uploads', photo);
  const { key: _, ...named } = { ...photo, filename: 'photo.png' };
  const stored = await post('/v1/uploads', named);
  const inParts = await post('/v1/uploads', { ...photo, transfer: 'multipart' });
  const others = [
    await post('/v1/uploads', { ...photo, contentLength: 2 ** 21 }),
    await post('/v1/uploads', photo, 'none'),
    await post('/v1/uploads', photo, await brokenIssuer.sign(claims)),
    await post('/v1/uploads/complete', { id: granted.body.id }),
    await post('/v1/uploads/complete', { id: inParts.body.id }),
    await post('/v1/uploads/complete', { id: stored.body.id }),
    await post('/v1/callbacks/oss', { id: stored.body.id }),
    await post('/v1/downloads', { keys: [photo.key] }),
  ];
  return [granted, stored, inParts, ...others].map(({ status }) => status);
}
