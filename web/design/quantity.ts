const BYTES: ReadonlySet<string> = new Set(['memory', 'disk']);
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** An amount of a resource as people read it: `3.5` cpu, `12.4 GiB` of memory. The API tells cpu and gpu in thousandths. */
export function amountText(resource: string, amount: number): string {
  if (BYTES.has(resource)) return bytesText(amount);
  const value = resource === 'cpu' || resource === 'gpu' ? amount / 1_000 : amount;
  return value.toLocaleString('en', { maximumFractionDigits: value < 100 ? 1 : 0 });
}

/** `12.4 GiB`. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toLocaleString('en', { maximumFractionDigits: value < 100 && unit > 0 ? 1 : 0 })} ${UNITS[unit]!}`;
}
