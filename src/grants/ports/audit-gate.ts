/**
 * Delays grants until their audit lines are written (`AUDIT_MODE=strict`). Grants of one event-loop
 * turn wait for the same write.
 */
export type AuditGate = {
  /** Reports whether audit lines can be written now. */
  isOpen(): boolean;
  /** Resolves within about a second, with whether all lines so far have been written. */
  written(): Promise<boolean>;
};
