import process from 'node:process';
import { curlCommand } from './curl-command.ts';
import { renderProgress } from './progress-bar.ts';

/** Prints one line. */
export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Prints the headline of a step. */
export function step(number: number, title: string): void {
  say(`\n${'─'.repeat(80)}\n${number}. ${title}\n`);
}

/** Prints a response: its status, and its body as indented JSON. */
export function showResponse(status: string, body: unknown): void {
  say(`\n${status}\n${JSON.stringify(body, null, 2).replaceAll(/^/gm, '  ')}`);
}

/** Prints a POST as a curl command, and sends it. */
export async function post(
  url: string,
  token: string,
  body: object,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const call = {
    method: 'POST',
    url,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  };
  say(curlCommand({ ...call, headers: { ...call.headers, Authorization: 'Bearer $TOKEN' } }));
  const response = await fetch(call.url, call);
  return { status: response.status, body: await response.json() };
}

/** Shows how much of a file has been sent. */
export function showProgress(sentBytes: number, totalBytes: number): void {
  // A terminal redraws the line; a file gets only the last one.
  if (process.stdout.isTTY) process.stdout.write(`\r${renderProgress(sentBytes, totalBytes)}`);
  else if (sentBytes === totalBytes) process.stdout.write(renderProgress(sentBytes, totalBytes));
}

/** The failure of the demo after a response of the service that it does not expect. */
export function unexpected(status: number, body: unknown): Error {
  return new Error(`the service responded with ${status}: ${JSON.stringify(body)}`);
}
