/** What the report calls each server, in the order in which a round measures them. */
export const CONTENDERS = {
  'node-http': 'raw `node:http`, static answer',
  fastify: 'bare Fastify route, static answer, no auth',
  ours: '**oss-presign as shipped**',
  valkey: '**oss-presign, limits in Valkey or Redis**',
  typescript: 'TypeScript peer: Fastify, zod, jose, `ali-oss`',
  go: 'Go peer: net/http, golang-jwt, OSS Go SDK V2',
} as const;

export type ContenderName = keyof typeof CONTENDERS;

/** What else is measured. */
export const PARTS = ['signing', 'start-up'] as const;
export type PartName = (typeof PARTS)[number];
