import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * Runs a program and parses the JSON that it prints.
 * @throws Error with its output if it exits with another code than 0.
 */
export async function runJson<T>(command: readonly string[]): Promise<T> {
  const [file = '', ...args] = command;
  const { stdout } = await promisify(execFile)(file, args);
  return JSON.parse(stdout) as T;
}
