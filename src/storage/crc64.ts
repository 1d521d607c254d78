/**
 * A CRC-64/ECMA as OSS writes it: an unsigned number in decimal. It can still be larger than
 * {@link MAX_CRC64}.
 */
export const CRC64 = /^(?:0|[1-9][0-9]{0,19})$/;

/** The largest unsigned 64-bit number. */
export const MAX_CRC64 = 2n ** 64n - 1n;
