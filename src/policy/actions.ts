/** The actions that a rule can allow. `confirm` is to confirm the uploads of other callers. */
export const ACTIONS = ['upload', 'download', 'confirm'] as const;
export type Action = (typeof ACTIONS)[number];

/**
 * How the bytes of an upload travel: in one PUT, in a form (`multipart/form-data`), or in the parts
 * of a multipart upload.
 */
export const TRANSFERS = ['put', 'form', 'multipart'] as const;
export type Transfer = (typeof TRANSFERS)[number];
