/** One line such as `  [##########----------]  50 %  12.0 of 24.0 MiB`. */
export function renderProgress(sentBytes: number, totalBytes: number, width = 30): string {
  const share = totalBytes === 0 ? 1 : sentBytes / totalBytes;
  const filled = Math.round(share * width);
  const bar = '#'.repeat(filled) + '-'.repeat(width - filled);
  const percent = String(Math.floor(share * 100)).padStart(3);
  return `  [${bar}] ${percent} %  ${mebibytes(sentBytes)} of ${mebibytes(totalBytes)} MiB`;
}

function mebibytes(bytes: number): string {
  return (bytes / 1024 ** 2).toFixed(1);
}
