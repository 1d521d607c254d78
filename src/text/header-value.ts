/**
 * Matches a header value that every HTTP client sends unchanged: printable ASCII without a blank at
 * either end.
 */
export const HEADER_VALUE = /^[!-~](?:[ -~]*[!-~])?$/;
