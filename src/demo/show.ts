import process from 'node:process';
import { curlCommand } from './curl-command.ts';

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
