import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A certificate and its key, as PEM and as files. */
export interface Signed {
  readonly certificate: string;
  readonly key: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** An authority of a test, made with openssl in a folder of the test's. */
export class Authority {
  readonly #folder: string;
  readonly #self: Signed;

  constructor(folder: string, name: string) {
    this.#folder = folder;
    const [certificateFile, keyFile] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
    const subject = ['-subj', `/CN=${name}`, '-days', '2', '-addext', 'basicConstraints=critical,CA:TRUE'];
    openssl(['req', '-x509', ...newKey, '-keyout', keyFile, '-out', certificateFile, ...subject]);
    this.#self = readSigned(certificateFile, keyFile);
  }

  /** PEM: what to trust. */
  get certificate(): string {
    return this.#self.certificate;
  }

  /** @param names `DNS:api.example.test`, `IP:127.0.0.1` … */
  sign(name: string, names: string): Signed {
    const [certificateFile, keyFile] = [join(this.#folder, `${name}.crt`), join(this.#folder, `${name}.key`)];
    const request = join(this.#folder, `${name}.csr`);
    openssl(['req', ...newKey, '-keyout', keyFile, '-out', request, '-subj', `/CN=${name}`]);
    const extensions = join(this.#folder, `${name}.ext`);
    writeFileSync(extensions, `subjectAltName=${names}\n`);
    const { certificateFile: ca, keyFile: caKey } = this.#self;
    const signer = ['-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-days', '2', '-extfile', extensions];
    openssl(['x509', '-req', '-in', request, '-out', certificateFile, ...signer]);
    return readSigned(certificateFile, keyFile);
  }
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

function openssl(words: readonly string[]): void {
  execFileSync('openssl', words, { stdio: 'pipe' });
}

function readSigned(certificateFile: string, keyFile: string): Signed {
  const [certificate, key] = [readFileSync(certificateFile, 'utf8'), readFileSync(keyFile, 'utf8')];
  return { certificate, key, certificateFile, keyFile };
}
