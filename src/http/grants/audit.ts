import type { FastifyReply, FastifyRequest } from 'fastify';
import { ServiceError } from '../../errors.ts';
import type { AuditGate } from '../../grants/ports/audit-gate.ts';
import type { Observer } from '../../grants/ports/observer.ts';
import type { Audit } from '../../log/audit-json.ts';
import type { ServiceLogger } from '../../log/logger.ts';
import type { Rejection } from '../../log/request-line.ts';
import { logRequest } from '../plugins/access-log.ts';

/**
 * A grant that is not made, or not sent, because its audit line cannot be written. A shared
 * instance, because it may be thrown often.
 */
const AUDIT_UNAVAILABLE = new ServiceError(
  'unavailable',
  'The service cannot record grants at the moment; try again.',
  { headers: { 'Retry-After': '5' } },
);

export type AuditDependencies = {
  readonly observer: Observer;
  readonly logger: ServiceLogger;
  /**
   * Holds grants back until their audit lines are written; undefined if grants do not wait for the
   * log.
   */
  readonly auditGate?: AuditGate | undefined;
};

/**
 * Writes the audit line of a request. Logged before the response: the grant counts even if the
 * client has disconnected.
 * @param status the status that the response, or the item of a batch, will have.
 * @param rejection why an item is rejected, if the audit does not state it.
 */
export function logAudit(
  logger: ServiceLogger,
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  audit: Audit,
  rejection?: Rejection,
): void {
  logRequest(logger, 'info', request, reply, { status, audit, rejection });
  request.lineLevel = 'debug';
}

/**
 * Rejects a grant while audit lines cannot be written (`AUDIT_MODE=strict`).
 * @throws ServiceError `unavailable`.
 */
export function requireOpenAudit(auditGate: AuditGate | undefined): void {
  if (auditGate?.isOpen() === false) throw AUDIT_UNAVAILABLE;
}

/**
 * Waits until the audit line of a grant is written (`AUDIT_MODE=strict`).
 * @throws ServiceError `unavailable` if it could not be written.
 */
export async function requireWrittenAudit(auditGate: AuditGate, request: FastifyRequest): Promise<void> {
  if (await auditGate.written()) return;
  // The audit line may still be written later. The line with the status 503 then shows that the
  // grant was not sent.
  request.lineLevel = 'info';
  throw AUDIT_UNAVAILABLE;
}
