import type { z } from 'zod';
import type { Problem } from '../plugins/problem-json.ts';

/** The conventions on the routes of a client that has its own protocol. */
export type ClientProtocol = {
  /** The media type of its JSON. Requests may have it too, and every response has it. */
  readonly mediaType: string;
  /** The user of `Authorization: Basic` whose password is the token. */
  readonly basicUser: string;
  /** Further headers of a 401. */
  readonly challenge: Readonly<Record<string, string>>;
  /** The problem documents of these routes. */
  readonly problems: {
    /** The name of the schema in the OpenAPI document. */
    readonly name: string;
    readonly schema: z.ZodType;
    /** Adds what this client reads. */
    readonly render: (problem: Problem) => object;
  };
};

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Missing on most routes. */
    protocol?: ClientProtocol | undefined;
  }
}
