const MAPPED_PREFIX = '::ffff:';
const GROUPS = 8;

/** IPv4 is written as IPv6 where a server listens to both: the same address as IPv4, any other as it is. */
export function unmapped(address: string): string {
  return address.toLowerCase().startsWith(MAPPED_PREFIX) ? address.slice(MAPPED_PREFIX.length) : address;
}

/** The eight groups of an IPv6 address in hexadecimal, as they are written, those left out by `::` as 0; without its zone. */
export function groupsOf(address: string): string[] {
  const [head = '', tail = ''] = address.split('%')[0]!.split('::');
  const [first, last] = [written(head), written(tail)];
  const leftOut = Array<string>(Math.max(0, GROUPS - first.length - last.length)).fill('0');
  return [...first, ...leftOut, ...last];
}

function written(groups: string): string[] {
  return groups === '' ? [] : groups.split(':');
}
