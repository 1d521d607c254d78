import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { presignUpload } from '../../../src/grants/upload/issue-upload.ts';
import { createLogger } from '../../../src/log/logger.ts';
import { fixedClock } from '../../support/fixed-clock.ts';
import { createTestApp } from '../../support/test-app.ts';

const BODY = JSON.stringify({ key: 'users/alice/photo.png', contentType: 'image/png', contentLength: 1 });

it('all requests of a group finish each step before any of them starts the next', async () => {
  const steps: string[] = [];
  const { app, issuer } = await createTestApp({
    presign: (...args) => {
      steps.push('sign');
      return presignUpload(...args);
    },
    logger: createLogger('info', fixedClock, { write: () => void steps.push('log') }),
    // Called for each response when it is sent.
    isDraining: () => {
      steps.push('send');
      return false;
    },
  });
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
  const head = [
    'POST /v1/uploads HTTP/1.1',
    'Host: localhost',
    `Authorization: Bearer ${await issuer.sign()}`,
    'Content-Type: application/json',
    `Content-Length: ${BODY.length}`,
  ].join('\r\n');
  const request = (connection: string) => `${head}\r\nConnection: ${connection}\r\n\r\n${BODY}`;
  const socket = connect(Number(port), '127.0.0.1');
  // From here on the token is cached.
  socket.write(request('keep-alive'));
  await once(socket, 'readable');
  steps.length = 0;

  socket.write(request('keep-alive') + request('keep-alive') + request('close'));
  const responses = await text(socket);
  expect(responses.match(/HTTP\/1\.1 201 Created/g)).toHaveLength(4);
  expect(steps).toStrictEqual(['sign', 'log', 'send'].flatMap((step) => [step, step, step]));
});
