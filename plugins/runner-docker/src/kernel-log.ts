import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

const KERNEL_LOG = '/dev/kmsg';
/** The kernel's longest record. Bytes. */
const RECORD_BYTES = 8_192;

/**
 * Whether the kernel has ended a process of a container because the container needed more memory than it may have. The
 * kernel writes that down before it ends the process, with the path of the control group, which holds the container's
 * id; an engine may not have heard of it. Null where this process may not read the kernel's log.
 */
export async function wasOutOfMemoryByKernel(container: string): Promise<boolean | null> {
  const group = new RegExp(`oom_memcg=[^,]*${container}`);
  // Every read is a record of its own; not waiting for the next one when all have been read.
  const log = await open(KERNEL_LOG, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => null);
  if (log === null) return null;
  const bytes = Buffer.alloc(RECORD_BYTES);
  try {
    for (;;) {
      try {
        const { bytesRead } = await log.read(bytes, 0, RECORD_BYTES, null);
        if (bytesRead === 0) return false;
        if (group.test(bytes.toString('latin1', 0, bytesRead))) return true;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EAGAIN') return false;
        // What was to be read next has been overwritten; the next read goes on behind it.
        if (code !== 'EPIPE') return null;
      }
    }
  } finally {
    await log.close();
  }
}
