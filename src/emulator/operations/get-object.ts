import { pipeline } from 'node:stream/promises';
import { openForReading } from '../objects/open-for-reading.ts';
import type { ObjectOperation } from './operation.ts';

/** GetObject: sends the object, or the range of it that was requested. */
export const getObject: ObjectOperation = async (call) => {
  const { response, event } = call;
  const { handle, outcome } = await openForReading(call);
  try {
    const { status, headers, range } = outcome;
    response.writeHead(status, headers);
    if (range === null) {
      response.end();
      return;
    }
    await pipeline(handle.createReadStream({ ...range, autoClose: false }), response);
    event.bytes = range.end - range.start + 1;
  } finally {
    await handle.close();
  }
};
