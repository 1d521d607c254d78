import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { killProcess } from './emulator-process.ts';
import type { Step, Task } from './upload-program.ts';

const PROGRAM = new URL('./upload-program.ts', import.meta.url).pathname;

/** A client as a separate process. */
export type Client = {
  readonly child: ChildProcess;
  /** The steps that it has taken so far. */
  readonly steps: readonly Step[];
  /** Resolves when the client has taken this step; rejects if it ends before. */
  reached(step: string): Promise<Step>;
  /** The numbers of the parts that it has sent. */
  sentParts(): readonly number[];
};

/** Starts a client. It is killed when the test ends. */
export function startClient(task: Task): Client {
  const child = spawn(process.execPath, [PROGRAM, JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => killProcess(child));
  const steps: Step[] = [];
  const waiting = new Set<() => void>();
  const look = () => waiting.forEach((lookAgain) => void lookAgain());
  let fault = '';
  let hasEnded = false;
  child.stderr.on('data', (chunk) => {
    fault += chunk;
  });
  createInterface(child.stdout).on('line', (line) => {
    steps.push(JSON.parse(line));
    look();
  });
  child.once('close', () => {
    hasEnded = true;
    look();
  });
  return {
    child,
    steps,
    sentParts: () => steps.flatMap(({ partNumber }) => (typeof partNumber === 'number' ? [partNumber] : [])),
    reached: (name) =>
      new Promise((resolve, reject) => {
        const lookForStep = () => {
          const taken = steps.find(({ step }) => step === name);
          if (!taken && !hasEnded) return;
          waiting.delete(lookForStep);
          if (taken) resolve(taken);
          else reject(new Error(`the client ended before the step ${name}: ${fault}`));
        };
        waiting.add(lookForStep);
        lookForStep();
      }),
  };
}

/** The most memory that a running process has used. */
export function peakMemoryMib({ pid }: ChildProcess): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}
