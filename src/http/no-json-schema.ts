const refuse = (): never => {
  throw new TypeError('requests and answers are checked by the schemas of zod, not by JSON Schema');
};

/**
 * Keeps Fastify from loading its validator and its serializer, Ajv among them: some 7 % of the time to start, for what no route
 * of this service has.
 */
export const NO_JSON_SCHEMA = {
  compilersFactory: { buildValidator: () => refuse, buildSerializer: () => refuse },
};
