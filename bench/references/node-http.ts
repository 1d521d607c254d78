import { createServer } from 'node:http';
import { announce } from '../processes/announce.ts';
import { STATIC_RESPONSE } from './static-response.ts';

// The least that Node can do for a POST with a response: the limit of load generator and machine.
const server = createServer((request, response) => {
  request.resume();
  request.once('end', () => {
    response.writeHead(request.method === 'POST' ? 201 : 200, {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'content-length': Buffer.byteLength(STATIC_RESPONSE),
    });
    response.end(STATIC_RESPONSE);
  });
});
server.listen(0, '127.0.0.1', () => announce(server.address()));
