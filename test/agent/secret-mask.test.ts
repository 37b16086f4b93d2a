import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SecretMask } from '../../server/agent/secret-mask.ts';

const SECRET = 'p@ss/wörd+"1&2';
const mask = new SecretMask([SECRET]);
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('a mask', () => {
  it.each<[string, string]>([
    ['as it is', `before ${SECRET} after`],
    ['twice', `${SECRET}${SECRET}`],
    ['in Base64', `x ${base64(SECRET)}`],
    ['in Base64 with something before it', `Authorization: Basic ${base64(`user:${SECRET}`)}`],
    ['in Base64 with one more character before it', `Basic ${base64(`users:${SECRET}x`)}`],
    ['in Base64 with two more', `Basic ${base64(`users1:${SECRET}xy`)}`],
    ['in URL-safe Base64', Buffer.from(SECRET).toString('base64url')],
    ['in a URL', `https://x/?q=${encodeURIComponent(SECRET)}`],
    ['in a URL in small letters', encodeURIComponent(SECRET).replace(/%../g, (code) => code.toLowerCase())],
    ['in hexadecimal', Buffer.from(SECRET).toString('hex')],
    ['in JSON', JSON.stringify({ a: SECRET })],
  ])('hides a secret %s', (_, text) => {
    const masked = mask.text(text);
    expect(masked).toContain('***');
    for (const part of [SECRET, encodeURIComponent(SECRET), base64(SECRET).slice(4, -4)])
      expect(masked).not.toContain(part);
  });

  it('leaves everything else as it is', () => {
    expect(mask.text('p@ss/word 💚 \ud800')).toBe('p@ss/word 💚 \ud800');
    expect(mask.json({ a: [1, null, true, 'x'], ü: {} })).toEqual({ a: [1, null, true, 'x'], ü: {} });
  });

  it('hides them in keys and values of outputs, however deep', () => {
    expect(mask.json({ a: [{ [SECRET]: `=${SECRET}` }] })).toEqual({ a: [{ '***': '=***' }] });
  });

  it('hides the lines of a secret of many lines one by one, and the longer of two secrets', () => {
    const key = new SecretMask(['-----BEGIN KEY-----\nabcdefghijkl\nx\n-----END KEY-----', 'token', 'token-of-mine']);
    expect(key.text('abcdefghijkl x token-of-mine token')).toBe('*** x *** ***');
  });

  it('hides everything when nobody knows what the secrets are', () => {
    const stream = new SecretMask(null).stream();
    expect(String(stream.push(Buffer.from('anything'))) + String(stream.end())).toBe('');
    expect(new SecretMask(null).text('anything')).toBe('***');
  });
});

describe('a masked stream', () => {
  const through = (secrets: readonly string[], pieces: readonly Buffer[]): Buffer => {
    const stream = new SecretMask(secrets).stream();
    return Buffer.concat([...pieces.map((piece) => stream.push(piece)), stream.end()]);
  };

  it('holds nothing back that cannot become a secret', () => {
    const stream = mask.stream();
    expect(String(stream.push(Buffer.from('working …\n')))).toBe('working …\n');
    expect(String(stream.push(Buffer.from('the p@ss')))).toBe('the ');
    expect(String(stream.push(Buffer.from('age\n')))).toBe('p@ssage\n');
  });

  it('hides a secret wherever it is cut in two, and changes no other byte', () => {
    const bytes = fc.uint8Array({ maxLength: 20 });
    fc.assert(
      fc.property(bytes, bytes, fc.array(fc.nat(60), { maxLength: 6 }), (before, after, cuts) => {
        const whole = Buffer.concat([before, Buffer.from(SECRET), after]);
        const places = [0, ...cuts.map((cut) => cut % whole.length), whole.length].sort((a, b) => a - b);
        const pieces = places.slice(1).map((place, at) => whole.subarray(places[at]!, place));
        expect(through([SECRET], pieces)).toEqual(Buffer.concat([before, Buffer.from('***'), after]));
      }),
    );
  });

  it('says the same in pieces as at once, for secrets that overlap', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 40 });
    fc.assert(
      fc.property(letters, fc.nat(40), (text, cut) => {
        const secrets = ['aabb', 'abab', 'bbbbb', 'abba'];
        const pieces = [text.slice(0, cut), text.slice(cut)].map((piece) => Buffer.from(piece));
        expect(String(through(secrets, pieces))).toBe(new SecretMask(secrets).text(text));
      }),
    );
  });
});
