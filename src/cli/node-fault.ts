/**
 * Returns why this Node.js cannot run the program, or undefined if it can.
 *
 * npm only warns of an unsupported version, and what fails later looks like a fault of the program.
 * @param engines the range of package.json: versions after `^` or `>=`, separated by `||`.
 * @param version of Node.js, such as `24.21.0`.
 */
export function nodeFault(engines: string, version: string): string | undefined {
  const [major, minor] = majorAndMinor(version);
  const isSupported = engines.split('||').some((range) => {
    const [oldestMajor, oldestMinor] = majorAndMinor(range.replace(/^[\s^>=]+/, ''));
    return major === oldestMajor ? minor >= oldestMinor : range.includes('>=') && major > oldestMajor;
  });
  return isSupported ? undefined : `oss-presign needs Node.js ${engines}, and this is ${version}.`;
}

function majorAndMinor(version: string): readonly [number, number] {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return [major, minor];
}
