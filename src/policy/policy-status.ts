/** The active policy version. */
export type PolicyStatus = {
  readonly version: string;
  readonly rules: number;
  readonly loadedAt: Date;
  /** The version in the file, if it has been rejected. */
  readonly refusedVersion?: string;
};
