/**
 * Says what is wrong with the Node.js that runs this, or undefined when it will do. npm only warns of one that is too old, and
 * what then fails looks like a fault of the program.
 * @param engines the range of package.json: `>=24`.
 * @param version of Node.js: `24.21.0`.
 */
export function nodeFault(engines: string, version: string): string | undefined {
  const needed = Number.parseInt(engines.replace(/^\D+/, ''), 10);
  return Number.parseInt(version, 10) >= needed
    ? undefined
    : `oss-presign needs Node.js ${needed} or newer, and this is ${version}.`;
}
