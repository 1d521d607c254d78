/**
 * Holds grants back until their audit lines are written (`AUDIT_MODE=strict`). Grants of one
 * event-loop turn wait for the same write.
 */
export type AuditGate = {
  /** Whether audit lines can be written now. */
  isOpen(): boolean;
  /** Resolves with whether all lines so far have been written, within about a second. */
  written(): Promise<boolean>;
};
