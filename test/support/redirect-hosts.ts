import http, { type RequestOptions } from 'node:http';
import https from 'node:https';

/** Where a host is in a test, and the certificate that it then shows. */
export type StandInHosts = Readonly<Record<string, { readonly port: number; readonly ca?: string }>>;

/**
 * Makes this process meet stand-ins where the library's addresses are fixed, by a table of hosts as an operating system has
 * one: the request is the library's own down to the socket, and TLS still checks the name. Connections to every other host fail, so that
 * no test leaves the machine.
 * @returns what undoes it.
 */
export function redirectHosts(hosts: StandInHosts): () => void {
  const undo = [http, https].map((module) => {
    const original = module.request;
    const redirected = (options: RequestOptions, ...rest: never[]) =>
      typeof options === 'object' && !(options instanceof URL) && options.agent !== undefined
        ? original({ ...options, ...redirection(options.host ?? '') }, ...rest)
        : original(options, ...rest);
    Object.assign(module, { request: redirected });
    return () => Object.assign(module, { request: original });
  });
  return () => {
    for (const one of undo) one();
  };

  function redirection(host: string): RequestOptions {
    if (host === '127.0.0.1') return {};
    const standIn = hosts[host];
    // No process listens on port 1.
    return {
      host: '127.0.0.1',
      port: standIn?.port ?? 1,
      ...(standIn?.ca !== undefined && { ca: standIn.ca, servername: host }),
    };
  }
}
