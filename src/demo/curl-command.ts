/** A request as the curl command that sends it, ready to paste into a POSIX shell. `$TOKEN` stands for the variable. */
export function curlCommand(request: {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** A file whose bytes are the body. */
  readonly file?: string;
}): string {
  const { method, url, headers, body, file } = request;
  const parts = [
    `curl -sS -X ${method} ${quote(url)}`,
    ...Object.entries(headers).map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`),
    ...(body === undefined ? [] : [`-d ${quote(body)}`]),
    ...(file === undefined ? [] : [`--upload-file ${quote(file)}`]),
  ];
  return parts.join(' \\\n    ');
}

function quote(text: string): string {
  if (text.endsWith('$TOKEN')) return `"${text}"`;
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
