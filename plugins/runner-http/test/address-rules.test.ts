import { describe, expect, it } from '@jest/globals';
import { AddressRules, type Lookup } from '../src/address-rules.ts';
import { targetOf } from '../src/request.ts';

const strict = new AddressRules([]);

describe('the address rules', () => {
  it.each([
    '127.0.0.1',
    '127.8.8.8',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '255.255.255.255',
    '224.0.0.1',
    '192.0.2.1',
    '198.18.0.1',
    '240.0.0.1',
    '::',
    '::1',
    'fe80::1',
    'fc00::1',
    'fd12::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:a00:1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001:db8::1',
    'fe80::1%eth0',
    'nonsense',
    '',
  ])('keep from %s', (address) => {
    expect(strict.isAllowed(address, 80)).toBe(false);
  });

  it.each(['93.184.216.34', '8.8.8.8', '2606:4700:4700::1111'])('let through to %s', (address) => {
    expect(strict.isAllowed(address, 80)).toBe(true);
  });

  it.each([
    ['http://2130706433/', '127.0.0.1'],
    ['http://0x7f.1/', '127.0.0.1'],
    ['http://0177.0.0.1/', '127.0.0.1'],
    ['http://127.1/', '127.0.0.1'],
    ['http://①②⑦.⓪.⓪.①/', '127.0.0.1'],
    ['http://[::ffff:127.0.0.1]/', '[::ffff:7f00:1]'],
    ['http://0/', '0.0.0.0'],
  ])('see through the spelling %s', (url, host) => {
    const target = targetOf(url);
    expect(target.hostname).toBe(host);
    expect(() => strict.checkLiteral(target.hostname, 80)).toThrow('not a public address');
  });

  it('open what the operator excepts: an address, a range, one port', () => {
    const open = new AddressRules(['127.0.0.1:4000', '10.0.0.0/8', '[::1]:80', 'fd00::/8']);
    expect([open.isAllowed('127.0.0.1', 4000), open.isAllowed('127.0.0.1', 4001)]).toEqual([true, false]);
    expect([open.isAllowed('10.9.9.9', 1), open.isAllowed('11.0.0.1', 1), open.isAllowed('192.168.0.1', 1)]).toEqual([
      true,
      true,
      false,
    ]);
    expect([open.isAllowed('::1', 80), open.isAllowed('::1', 81), open.isAllowed('fd12::1', 9)]).toEqual([
      true,
      false,
      true,
    ]);
    expect(open.isAllowed('::ffff:10.0.0.1', 80)).toBe(true);
  });

  it.each(['10.0.0.0/33', 'localhost', '*', '', '1.2.3.4:99999999', '::1/129'])(
    'refuse an exception that is none: %s',
    (text) => {
      expect(() => new AddressRules([text])).toThrow('is no address range');
    },
  );

  it('refuse a name of which any answer is private, at the moment of connecting', async () => {
    const answers = [
      [{ address: '93.184.216.34', family: 4 }],
      [
        { address: '93.184.216.34', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ],
    ];
    const rebinding: Lookup = (_host, _options, callback) => callback(null, answers.shift()!);
    const lookup = strict.lookup(80, rebinding);
    const ask = () =>
      new Promise((resolve) => lookup('sly.example', {}, (error, address) => resolve(error ? error.message : address)));
    expect(await ask()).toBe('93.184.216.34');
    expect(await ask()).toBe('sly.example is 127.0.0.1, which is not a public address');
  });
});

describe('a URL', () => {
  it.each(['ftp://example.com/', 'file:///etc/passwd', 'gopher://x', 'nonsense', 'http://user:secret@example.com/'])(
    'is refused: %s',
    (url) => {
      expect(() => targetOf(url)).toThrow();
    },
  );
});
