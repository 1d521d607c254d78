import { openForReading } from '../objects/open-for-reading.ts';
import type { ObjectOperation } from './operation.ts';

/** HeadObject: sends the status and the headers that GetObject would send. */
export const headObject: ObjectOperation = async (call) => {
  const { object, outcome } = await openForReading(call);
  try {
    call.response.writeHead(outcome.status, outcome.headers).end();
  } finally {
    await object.close();
  }
};
