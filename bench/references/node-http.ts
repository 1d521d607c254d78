import { createServer } from 'node:http';
import { announce } from '../processes/announce.ts';
import { STATIC_ANSWER } from './static-answer.ts';

// As little as Node can do for a POST with an answer: what the load generator and the machine allow.
const server = createServer((request, response) => {
  request.resume();
  request.once('end', () => {
    response.writeHead(request.method === 'POST' ? 201 : 200, {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'content-length': Buffer.byteLength(STATIC_ANSWER),
    });
    response.end(STATIC_ANSWER);
  });
});
server.listen(0, '127.0.0.1', () => announce(server.address()));
