/**
 * Renders the curl command that sends a request, for a POSIX shell. `$TOKEN` and texts with
 * `$(printf …)` are left for the shell to expand, so the caller escapes the quotes in them.
 */
export function curlCommand(request: {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** A file to send as the body. */
  readonly file?: string;
  /** Prints status and headers of the response as well. */
  readonly showsStatus?: boolean;
}): string {
  const { method, url, headers, body, file, showsStatus = false } = request;
  const parts = [
    `curl -sS ${showsStatus ? '-i ' : ''}-X ${method} ${quote(url)}`,
    ...Object.entries(headers).map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`),
    ...(body === undefined ? [] : [`-d ${quote(body)}`]),
    ...(file === undefined ? [] : [`--upload-file ${quote(file)}`]),
  ];
  return parts.join(' \\\n    ');
}

/** Renders the curl command that sends a form: its fields, and then the file. */
export function curlForm(form: {
  readonly url: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly fileField: string;
  readonly file: string;
}): string {
  const { url, fields, fileField, file } = form;
  const parts = [
    `curl -sS ${quote(url)}`,
    // `--form` would read a file for a value that begins with "@" or "<".
    ...Object.entries(fields).map(([name, value]) => `--form-string ${quote(`${name}=${value}`)}`),
    `--form ${quote(`${fileField}=@${file}`)}`,
  ];
  return parts.join(' \\\n    ');
}

/**
 * Renders the command that sends one part of a file: curl reads the part from a pipe.
 * @param part.offset and `contentLength` in bytes.
 */
export function curlPart(part: {
  readonly url: string;
  readonly file: string;
  readonly offset: number;
  readonly contentLength: number;
}): string {
  const { url, file, offset, contentLength } = part;
  // --data-binary sends a length, which --upload-file does not do for a pipe. The part has no type.
  const cut = `tail -c +${offset + 1} ${quote(file)} | head -c ${contentLength}`;
  return [`${cut} |`, `curl -sS -X PUT ${quote(url)}`, `-H 'Content-Type:' --data-binary @-`].join(
    ' \\\n    ',
  );
}

function quote(text: string): string {
  if (text.endsWith('$TOKEN') || text.includes('$(printf ')) return `"${text}"`;
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
