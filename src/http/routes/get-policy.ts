import { describeDownloads, describePolicy } from '../../policy/describe-policy.ts';
import { POLICY_EXAMPLE } from '../docs/openapi-examples.ts';
import { callerContextOf } from '../plugins/authentication.ts';
import { callerPolicy } from './caller-policy.ts';
import type { Route } from './route.ts';

/** `GET /v1/policy`: the rules that apply to the caller. */
export const getPolicy: Route<unknown> = {
  method: 'GET',
  path: '/v1/policy',
  isPublic: false,
  openapi: {
    operationId: 'getPolicy',
    tag: 'Uploads',
    summary: 'Show what this caller may upload and download',
    responses: {
      200: {
        description: 'The rules that apply to the caller.',
        content: { name: 'CallerPolicy', schema: callerPolicy, example: POLICY_EXAMPLE },
      },
    },
  },
  handler: () => (request) => {
    const { caller, policy } = callerContextOf(request);
    return {
      status: 200,
      headers: { 'cache-control': 'no-store' },
      json: { rules: describePolicy(policy, caller), downloads: describeDownloads(policy, caller) },
    };
  },
};
