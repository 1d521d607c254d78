/** The name of each server in the report, in the order of a round. */
export const CONTENDERS = {
  'node-http': 'raw `node:http`, static response',
  fastify: 'bare Fastify route, static response, no auth',
  ours: '**oss-presign as shipped**',
  valkey: '**oss-presign, limits in Valkey or Redis**',
  typescript: 'TypeScript peer: Fastify, zod, jose, `ali-oss`',
  go: 'Go peer: net/http, golang-jwt, OSS Go SDK V2',
} as const;

export type ContenderName = keyof typeof CONTENDERS;

/** The other measurements. */
export const PARTS = ['signing', 'start-up'] as const;
export type PartName = (typeof PARTS)[number];
