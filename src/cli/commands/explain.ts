import { CannotRun, type Command } from '../command.ts';

/** `oss-presign explain`: the name is kept free. */
export const explainCommand: Command = {
  name: 'explain',
  summary: 'reserved; not there yet',
  description: 'Reserved for explaining what OSS says when it refuses an upload. It is not there yet.',
  options: {},
  example: 'oss-presign explain',
  exitCodes: {},
  run: async () => {
    throw new CannotRun(
      'explain is not there yet. What the policy says to a request, and why, tells: oss-presign decide.',
    );
  },
};
