import { TrustedProxies } from './peer.js';

/** Who it is taken for, and how it came. */
function peer(
  trusted: readonly string[],
  from: string,
  addresses: readonly string[] = [],
  schemes: readonly string[] = [],
): string {
  const { name, scheme } = new TrustedProxies(trusted).peerOf(from, { addresses, schemes });
  return `${scheme} ${name}`;
}

describe('T14 · whom a request comes from', () => {
  it('is whoever connects, whatever they say', () => {
    expect(peer([], '203.0.113.9', ['127.0.0.1'], ['https'])).toBe('http 203.0.113.9');
    expect(peer(['10.0.0.1'], '10.0.0.2', ['127.0.0.1'], ['https'])).toBe('http 10.0.0.2');
    expect(peer(['10.0.0.0/8'], '11.0.0.1', ['127.0.0.1'], ['https'])).toBe('http 11.0.0.1');
  });

  it('is whom a trusted proxy speaks for, the last one that no trusted proxy is', () => {
    expect(peer(['10.0.0.1'], '10.0.0.1', ['203.0.113.9'], ['https'])).toBe('https 203.0.113.9');
    expect(peer(['10.0.0.0/8'], '10.0.0.1', ['1.1.1.1', '203.0.113.9', '10.9.9.9'])).toBe('http 203.0.113.9');
    expect(peer(['10.0.0.0/8'], '10.0.0.1', ['10.1.1.1'])).toBe('http 10.1.1.1');
    expect(peer(['10.0.0.1'], '10.0.0.1')).toBe('http 10.0.0.1');
    expect(peer(['::1', 'fd00::/8'], 'fd00::5', ['203.0.113.9'], ['http', 'https'])).toBe(
      'https 203.0.113.9',
    );
  });

  it('is not what is no address', () => {
    expect(peer(['10.0.0.1'], '10.0.0.1', ['203.0.113.9', 'unknown'])).toBe('http 10.0.0.1');
    expect(peer(['10.0.0.1'], '10.0.0.1', [''], ['HTTPS'])).toBe('http 10.0.0.1');
    expect(peer(['10.0.0.1'], '')).toBe('http ');
  });

  it('is the same in both ways to write IPv4', () => {
    expect(peer(['127.0.0.1'], '::ffff:127.0.0.1', ['::ffff:203.0.113.9'])).toBe('http 203.0.113.9');
  });

  it('is a whole network of IPv6: one machine has as many addresses as it likes', () => {
    expect(peer([], '2001:db8:1:2:3:4:5:6')).toBe('http 2001:db8:1:2::/64');
    expect(peer([], '2001:db8:1:2::9')).toBe('http 2001:db8:1:2::/64');
    expect(peer([], '2001:db8::9')).toBe('http 2001:db8:0:0::/64');
    expect(peer([], 'fe80::1%eth0')).toBe('http fe80:0:0:0::/64');
    expect(peer([], '::1')).toBe('http 0:0:0:0::/64');
  });
});
