import { createPublicKey, createSecretKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import OSS from 'ali-oss';
import { fastify } from 'fastify';
import { jwtVerify } from 'jose';
import { z } from 'zod';
import { announce } from '../processes/announce.ts';
import type { PeerSettings } from '../setup/peer-settings.ts';

// A service as a TypeScript team would write it with the usual libraries. It has no log, no
// metrics, no limits and one rule, which makes it faster.
const settings = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as PeerSettings;
const keys = {
  RS256: createPublicKey(settings.publicKeys.RS256),
  ES256: createPublicKey(settings.publicKeys.ES256),
  HS256: createSecretKey(Buffer.from(settings.secret)),
};
const client = new OSS({
  accessKeyId: settings.accessKeyId,
  accessKeySecret: settings.accessKeySecret,
  bucket: settings.bucket,
  region: `oss-${settings.region}`,
  secure: true,
});
const uploadSchema = z.strictObject({
  key: z.string().regex(/^[\w.-]+(\/[\w.-]+)*$/),
  contentType: z.string().refine((type) => settings.contentTypes.includes(type)),
  contentLength: z.int().min(0).max(settings.maxSize),
});

const app = fastify();
app.get('/livez', (_request, reply) => reply.send('ok'));
app.post('/v1/uploads', async (request, reply) => {
  const token = request.headers.authorization?.replace(/^Bearer /, '') ?? '';
  const verified = await jwtVerify(token, ({ alg }) => keys[alg as keyof typeof keys], {
    audience: settings.audience,
    algorithms: Object.keys(keys),
  }).catch(() => undefined);
  if (!verified) return reply.code(401).send({ code: 'unauthenticated' });
  const upload = uploadSchema.safeParse(request.body);
  if (!upload.success) return reply.code(400).send({ code: 'invalid_request', errors: upload.error.issues });
  const { key, contentType, contentLength } = upload.data;
  const { sub, scope } = verified.payload;
  if (!String(scope).split(' ').includes('uploads:write') || !key.startsWith(`users/${sub}/`)) {
    return reply.code(403).send({ code: 'policy_denied' });
  }
  const headers = { 'Content-Type': contentType, 'x-oss-forbid-overwrite': 'true' };
  const signed = { ...headers, 'Content-Length': contentLength };
  const { expiresInSeconds, bucket, region } = settings;
  const url = await client.signatureUrlV4('PUT', expiresInSeconds, { headers: signed }, key, [
    'content-length',
  ]);
  const now = Date.now();
  return reply
    .code(201)
    .header('cache-control', 'no-store')
    .send({
      ...{ method: 'PUT', url, headers, key, bucket, region, contentLength, expires: expiresInSeconds },
      expiresAt: new Date(now + expiresInSeconds * 1000).toISOString(),
      serverTime: new Date(now).toISOString(),
    });
});
await app.listen({ port: 0, host: '127.0.0.1' });
announce(app.server.address());
