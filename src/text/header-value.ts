/** A header's value that every HTTP client sends unchanged: printable ASCII that neither begins nor ends with a blank. */
export const HEADER_VALUE = /^[!-~](?:[ -~]*[!-~])?$/;
