import { describe, expect, it } from '@jest/globals';
import { failureOf } from '../src/failure.ts';
import { pullFailure } from '../src/pull-failure.ts';

const answer = (statusCode: number, message: string) =>
  Object.assign(new Error(message), { statusCode, json: { message } });
const asked = { image: 'app:1', user: undefined, workdir: '/data/x', command: undefined, entrypoint: undefined };

describe('what an engine answers', () => {
  it.each([
    [
      'container create: container-init binary not found on the host: stat /usr/libexec/podman/catatonit',
      'REJECTED',
      'NO_INIT',
    ],
    ['unresolvable CDI devices nvidia.com/gpu=0: unknown', 'INFRASTRUCTURE', 'NO_GPU_SUPPORT'],
    ['OCI runtime create failed: exec: "docker-init": executable file not found in $PATH', 'REJECTED', 'NO_INIT'],
    ['write /var/lib/x: no space left on device', 'INFRASTRUCTURE', 'DISK_FULL'],
    ['write /var/lib/x: disk quota exceeded', 'INFRASTRUCTURE', 'DISK_FULL'],
    ['OCI runtime create failed: exec: "nope": executable file not found in $PATH', 'APPLICATION', 'COMMAND_NOT_FOUND'],
    ['runc create failed: exec: "/etc": permission denied', 'APPLICATION', 'COMMAND_NOT_EXECUTABLE'],
    ['runc: exec: "/bin/app": exec format error', 'APPLICATION', 'COMMAND_NOT_EXECUTABLE'],
    ['unable to find user x: no matching entries in passwd file', 'APPLICATION', 'USER_UNKNOWN'],
    [
      'OCI runtime create failed: chdir to cwd ("/data/x") set in config.json failed: permission denied',
      'APPLICATION',
      'WORKDIR_NOT_FOUND',
    ],
    ['lstat /var/lib/docker/x/data/x: not a directory', 'APPLICATION', 'WORKDIR_NOT_FOUND'],
    ['invalid reference format', 'APPLICATION', 'IMAGE_INVALID'],
    [
      'OCI runtime create failed: runc create failed: cannot allocate memory: unknown',
      'INFRASTRUCTURE',
      'ENGINE_REFUSED',
    ],
    [
      'OCI runtime create failed: error setting cgroup config: device or resource busy',
      'INFRASTRUCTURE',
      'ENGINE_REFUSED',
    ],
    ['fork/exec /usr/bin/runc: resource temporarily unavailable', 'INFRASTRUCTURE', 'ENGINE_REFUSED'],
    ['OCI runtime create failed: something new', 'INFRASTRUCTURE', 'ENGINE_REFUSED'],
    ['Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available', 'REJECTED', 'NODE_LACKS'],
  ])('%s means the same under every status', (message, kind, code) => {
    for (const status of [400, 404, 409, 500])
      expect(failureOf(answer(status, message), asked)).toMatchObject({ ok: false, kind, reason: { code } });
  });

  it('and what the node’s own disk says, are told apart', () => {
    const ofDisk = (code: string, more: object) => failureOf(Object.assign(new Error(code), { code, ...more }));
    expect(ofDisk('ENOSPC', { path: '/x' })).toMatchObject({ kind: 'INFRASTRUCTURE', reason: { code: 'DISK_FULL' } });
    expect(ofDisk('EACCES', { path: '/x' }).reason.code).toBe('NODE_FAULT');
    expect(ofDisk('EACCES', { address: '/x.sock' }).reason.code).toBe('ENGINE_UNREACHABLE');
  });
});

describe('what an engine answers to a pull', () => {
  it.each([
    ['unauthorized: authentication required', 'APPLICATION PULL_DENIED'],
    ['pull access denied for app, repository does not exist', 'APPLICATION PULL_DENIED'],
    ['manifest unknown: manifest unknown', 'APPLICATION IMAGE_MISSING'],
    ['toomanyrequests: You have reached your pull rate limit', 'INFRASTRUCTURE REGISTRY_BUSY'],
    ['net/http: TLS handshake timeout', 'INFRASTRUCTURE REGISTRY_UNREACHABLE'],
    ['x509: certificate signed by unknown authority', 'INFRASTRUCTURE REGISTRY_UNREACHABLE'],
    ['context deadline exceeded', 'INFRASTRUCTURE REGISTRY_UNREACHABLE'],
    ['lookup registry-1.docker.io: no such host', 'INFRASTRUCTURE REGISTRY_UNREACHABLE'],
    ['lookup registry-1.docker.io: server misbehaving', 'INFRASTRUCTURE PULL_FAILED'],
    ['no matching manifest for linux/amd64', 'REJECTED IMAGE_PLATFORM'],
    ['unsupported media type application/vnd.cncf.helm.config.v1+json', 'APPLICATION IMAGE_INVALID'],
    ['normalizing name for compat API: invalid reference format', 'APPLICATION IMAGE_INVALID'],
  ])('%s', (message, told) => {
    const { kind, reason } = failureOf(pullFailure('app:1', answer(500, message), null));
    expect(`${kind} ${reason.code}`).toBe(told);
  });

  it('a registry that there is not is the mistake of whoever names it', () => {
    const failure = pullFailure('registry.example/app:1', answer(500, 'lookup registry.example: no such host'), null);
    expect(failureOf(failure)).toMatchObject({
      kind: 'APPLICATION',
      reason: { code: 'REGISTRY_UNKNOWN', message: expect.stringContaining('registry.example') },
    });
  });
});
