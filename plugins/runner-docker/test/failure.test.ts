import { describe, expect, it } from '@jest/globals';
import { failureOf } from '../src/failure.ts';

const answer = (statusCode: number, message: string) =>
  Object.assign(new Error(message), { statusCode, json: { message } });

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
    ['OCI runtime create failed: exec: "nope": executable file not found in $PATH', 'APPLICATION', 'COMMAND_NOT_FOUND'],
    ['runc create failed: exec: "/etc": permission denied', 'APPLICATION', 'COMMAND_NOT_EXECUTABLE'],
  ])('%s is told as what it is', (message, kind, code) => {
    expect(failureOf(answer(500, message))).toMatchObject({ ok: false, kind, reason: { code } });
  });
});
