import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * Runs a program to its end and reads the JSON that it prints.
 * @throws Error with what it said, where it ends with another code than 0.
 */
export async function runJson<T>(command: readonly string[]): Promise<T> {
  const [file = '', ...args] = command;
  const { stdout } = await promisify(execFile)(file, args);
  return JSON.parse(stdout) as T;
}
