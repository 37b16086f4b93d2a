import { describe, expect, it } from '@jest/globals';
import plugin from '../src/index.ts';
import { parseImageReference } from '../src/image-reference.ts';

const DIGEST = `sha256:${'a1'.repeat(32)}`;

describe('a reference to an image', () => {
  it.each([
    ['busybox', 'docker.io', 'busybox:latest'],
    ['busybox:1.36', 'docker.io', 'busybox:1.36'],
    ['library/busy__box.x-y:1', 'docker.io', 'library/busy__box.x-y:1'],
    ['ghcr.io/team/app', 'ghcr.io', 'ghcr.io/team/app:latest'],
    ['localhost/app', 'localhost', 'localhost/app:latest'],
    ['registry.example:5000/app', 'registry.example:5000', 'registry.example:5000/app:latest'],
    ['[::1]:5000/app:2', '[::1]:5000', '[::1]:5000/app:2'],
    ['Registry/app:2', 'Registry', 'Registry/app:2'],
    [`app@${DIGEST}`, 'docker.io', `app@${DIGEST}`],
    [`ghcr.io/app:1@${DIGEST}`, 'ghcr.io', `ghcr.io/app:1@${DIGEST}`],
  ])('%s names its registry and what to pull', (text, registry, pullName) => {
    expect(parseImageReference(text)).toEqual({ registry, pullName, isId: false });
  });

  it('may be the ID of an image on the node', () => {
    expect(parseImageReference(DIGEST)).toMatchObject({ isId: true });
    expect(parseImageReference('a1'.repeat(32))).toMatchObject({ isId: true });
  });

  it.each([
    ['bb :1', 'has a blank in it'],
    [' bb', 'has a blank in it'],
    ['bb\n', 'has a blank in it'],
    ['registry.example//app:1', 'has an empty part between its slashes'],
    ['/app', 'has an empty part between its slashes'],
    ['app/', 'has an empty part between its slashes'],
    ['http://registry.example/app', 'is a URL'],
    ['docker://app', 'is a URL'],
    ['APP', 'lower case'],
    ['team/APP:1', 'lower case'],
    ['app:', 'has the tag ""'],
    [':1', 'has an empty part'],
    ['app:a/b:c:d', 'has the tag "c:d"'],
    ['-app', 'has “-app”'],
    ['a/../b', 'has “..”'],
    ['a..b', 'has “a..b”'],
    ['app@sha256:12', 'has no digest after @'],
    [`app@sha256:${'g'.repeat(64)}`, 'has no digest after @'],
    [`app@sha256:${'a'.repeat(40)}`, '64 hex digits of SHA-256'],
    [`app@${DIGEST}@${DIGEST}`, 'more than one @'],
    ['app?x=1', 'has “app?x=1”'],
    ['app%2f', 'has “app%2f”'],
    ['-registry.example/app', 'has the registry'],
    [`a/${'b'.repeat(256)}`, 'more than 255'],
  ])('%j is refused when the pipeline is applied, with what is wrong', (text, why) => {
    expect(parseImageReference(text)).toEqual(expect.stringContaining(why));
    const checked = plugin.config.check({ image: text });
    expect(checked).toMatchObject({
      ok: false,
      problems: [{ path: ['image'], message: expect.stringContaining(why) }],
    });
  });
});
