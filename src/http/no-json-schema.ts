const reject = (): never => {
  throw new TypeError('a route must not have a JSON Schema: zod checks requests and responses');
};

/**
 * Keeps Fastify from loading its validator and its serializer, Ajv among them. No route of this
 * service has a JSON Schema, and loading them takes about 7 % of the start-up time.
 */
export const NO_JSON_SCHEMA = {
  compilersFactory: { buildValidator: () => reject, buildSerializer: () => reject },
};
