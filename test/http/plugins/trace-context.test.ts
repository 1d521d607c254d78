import { expect, it } from 'vitest';
import { traceIdOf } from '../../../src/http/plugins/trace-context.ts';
import { createTestApp } from '../../support/test-app.ts';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';

it.each([
  ['the first version', `00-${TRACE_ID}-00f067aa0ba902b7-01`, TRACE_ID],
  ['a later version with another field', `01-${TRACE_ID}-00f067aa0ba902b7-01-what`, TRACE_ID],
  ['the version that is none', `ff-${TRACE_ID}-00f067aa0ba902b7-01`, undefined],
  ['a trace id of zeros', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, undefined],
  ['a parent id of zeros', `00-${TRACE_ID}-${'0'.repeat(16)}-01`, undefined],
  ['upper case', `00-${TRACE_ID.toUpperCase()}-00f067aa0ba902b7-01`, undefined],
  ['something longer', `00-${TRACE_ID}-00f067aa0ba902b7-01x`, undefined],
  ['a line break', `00-${TRACE_ID}-00f067aa0ba902b7-01\n`, undefined],
  ['nothing', undefined, undefined],
  ['two of them', [`00-${TRACE_ID}-00f067aa0ba902b7-01`, 'x'], undefined],
])('reads the trace id of %s', (_what, traceparent, expected) => {
  expect(traceIdOf(traceparent)).toBe(expected);
});

it('is on every log line of the request, next to the request id', async () => {
  const { http, issuer, log } = await createTestApp();
  const upload = async (headers: Readonly<Record<string, string>>) =>
    http
      .post('/v1/uploads')
      .set({ authorization: `Bearer ${await issuer.sign()}`, ...headers })
      .send({ key: 'users/alice/a.png', contentType: 'image/png', contentLength: 1 });
  await upload({ traceparent: `00-${TRACE_ID}-00f067aa0ba902b7-01` });
  await upload({});
  const lines = log.map((line) => JSON.parse(line)).filter((line) => line.requestId);
  expect(lines.map(({ requestId, traceId }) => [requestId, traceId])).toStrictEqual([
    ['request-1', TRACE_ID],
    ['request-1', TRACE_ID],
    ['request-2', undefined],
    ['request-2', undefined],
  ]);
});

it('is on the line of a failure with its cause, too', async () => {
  const { http, issuer, log } = await createTestApp({
    credentials: { get: () => Promise.reject(new Error('no connection')) },
  });
  await http
    .post('/v1/uploads')
    .set({
      authorization: `Bearer ${await issuer.sign()}`,
      traceparent: `00-${TRACE_ID}-00f067aa0ba902b7-01`,
    })
    .send({ key: 'users/alice/a.png', contentType: 'image/png', contentLength: 1 });
  const [line] = log.map((entry) => JSON.parse(entry)).filter(({ err }) => err);
  expect(line).toMatchObject({ level: 'error', requestId: 'request-1', traceId: TRACE_ID });
});
