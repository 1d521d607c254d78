/** A request as the curl command that sends it, ready to paste into a POSIX shell. `$TOKEN` and a URL of `$(…)` stand for their values. */
export function curlCommand(request: {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** A file whose bytes are the body. */
  readonly file?: string;
  /** Shows status and headers of the response as well. */
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

function quote(text: string): string {
  if (text.endsWith('$TOKEN') || text.startsWith('$(')) return `"${text}"`;
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
