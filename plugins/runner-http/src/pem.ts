import { X509Certificate } from 'node:crypto';

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** Whether a text holds certificates, and each can be read. Node would leave out what it cannot read, without a word. */
export function areCertificates(pem: string): boolean {
  const blocks = pem.match(BLOCK) ?? [];
  try {
    for (const block of blocks) new X509Certificate(block);
  } catch {
    return false;
  }
  return blocks.length > 0 && blocks.length === pem.split('-----BEGIN ').length - 1;
}
