import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { cpuSeconds } from '../processes/cpu-seconds.ts';
import { percentile } from '../report/percentile.ts';
import type { LoadJob, LoadResult } from './load-job.ts';
import { responseFrame } from './response-frame.ts';

/** The warm-up may last at most this many times its intended duration. */
const MAX_WARM_UP_FACTOR = 4;

/**
 * Sends requests over keep-alive connections, one at a time on each, and measures.
 * @param requests the bytes of each request, sent in rotation.
 * @throws Error if a response is not 2xx, is cut, or is followed by more bytes.
 */
export function sendLoad(
  { port, pid, connections, extent }: Omit<LoadJob, 'tokensFile' | 'callers'>,
  requests: readonly Buffer[],
): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const onceEach = 'onceEach' in extent;
    const sockets: Socket[] = [];
    let latencies: number[] = [];
    let next = 0;
    let responses = 0;
    let ended = false;
    let measuringSince = performance.now();
    let cpuBefore = process.cpuUsage();
    let serverCpuBefore = cpuSeconds(pid);

    function startMeasuring(): void {
      latencies = [];
      measuringSince = performance.now();
      cpuBefore = process.cpuUsage();
      serverCpuBefore = cpuSeconds(pid);
    }

    function end(fault?: Error): void {
      if (ended) return;
      ended = true;
      const elapsedMs = performance.now() - measuringSince;
      const { user, system } = process.cpuUsage(cpuBefore);
      const serverCpu = (cpuSeconds(pid) ?? 0) - (serverCpuBefore ?? 0);
      for (const socket of sockets) socket.destroy();
      if (fault) {
        reject(fault);
        return;
      }
      latencies.sort((a, b) => a - b);
      resolve({
        requests: latencies.length,
        requestsPerSecond: (latencies.length * 1000) / elapsedMs,
        requestsPerCpuSecond: serverCpu > 0 ? latencies.length / serverCpu : null,
        latencyMs: {
          p50: percentile(latencies, 50),
          p99: percentile(latencies, 99),
          p999: percentile(latencies, 99.9),
        },
        generatorBusy: (user + system) / 1000 / elapsedMs,
      });
    }

    function open(): void {
      let sentAt = 0;
      let pending: Buffer | undefined;
      const socket = connect({
        port,
        host: '127.0.0.1',
        onread: {
          buffer: Buffer.allocUnsafe(16_384),
          callback: (size, buffer) => {
            try {
              receive((buffer as Buffer).subarray(0, size));
            } catch (error) {
              end(error as Error);
            }
            return true;
          },
        },
      });
      socket.setNoDelay(true);
      socket.once('connect', send);
      socket.once('error', (error) => end(error));
      socket.once('close', () => end(new Error('the server closed a connection')));
      sockets.push(socket);

      function send(): void {
        if (onceEach && next === requests.length) return;
        const request = requests[next++ % requests.length] as Buffer;
        sentAt = performance.now();
        socket.write(request);
      }

      function receive(chunk: Buffer): void {
        const bytes = pending ? Buffer.concat([pending, chunk]) : chunk;
        const frame = responseFrame(bytes);
        if (!frame || bytes.length < frame.length) {
          // The next read overwrites the buffer.
          pending = Buffer.from(bytes);
          return;
        }
        if (bytes.length > frame.length) throw new Error('a response was longer than its Content-Length');
        if (frame.status < 200 || frame.status > 299) {
          throw new Error(`a response was not a success:\n${bytes.toString()}`);
        }
        pending = undefined;
        latencies.push(performance.now() - sentAt);
        responses++;
        if (onceEach && responses === extent.warmUpRequests) startMeasuring();
        if (onceEach && responses === requests.length) end();
        else send();
      }
    }

    if (!onceEach) {
      whenWarm(pid, extent.warmUpSeconds, () => {
        startMeasuring();
        setTimeout(end, extent.seconds * 1000);
      });
    }
    for (let opened = 0; opened < connections; opened++) open();
  });
}

/**
 * Waits for an amount of the server's CPU time. With elapsed time, the server would be measured on
 * a busy machine before its code is optimised.
 */
function whenWarm(pid: number, warmUpSeconds: number, then: () => void): void {
  const beganAt = performance.now();
  const cpuBefore = cpuSeconds(pid);
  const timer = setInterval(() => {
    const elapsed = (performance.now() - beganAt) / 1000;
    const had = cpuBefore === null ? elapsed : (cpuSeconds(pid) ?? 0) - cpuBefore;
    if (had < warmUpSeconds && elapsed < MAX_WARM_UP_FACTOR * warmUpSeconds) return;
    clearInterval(timer);
    then();
  }, 20);
}
