import { openForReading } from '../objects/open-for-reading.ts';
import type { ObjectOperation } from './operation.ts';

/** The headers that this operation sends, of those of HeadObject. */
const SENT = ['ETag', 'Last-Modified', 'x-oss-hash-crc64ecma', 'x-oss-version-id'];

/**
 * GetObjectMeta: sends the size, the checksums and the time of an object, by which SDKs find out
 * whether it exists. Only HEAD gets the size: the response to GET has no body.
 */
export const getObjectMeta: ObjectOperation = async (call) => {
  const { method } = call.wire;
  const { object, outcome } = await openForReading(call);
  try {
    const names = method === 'HEAD' ? [...SENT, 'Content-Length'] : SENT;
    const headers = Object.entries(outcome.headers).filter(([name]) => names.includes(name));
    call.response.writeHead(outcome.status, Object.fromEntries(headers)).end();
  } finally {
    await object.close();
  }
};
