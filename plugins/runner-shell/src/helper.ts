import { closeSync, constants, fstatSync, ftruncateSync, openSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stateOf } from './process-table.ts';
import { quoted } from './shell-text.ts';

const PROGRAM = fileURLToPath(new URL('./helper.sh', import.meta.url));
/** A journal that has grown to this is cut back when its helper is idle. Bytes. */
const JOURNAL_BYTES = 256 * 1024;

/** Hears what becomes of one command. */
export interface Assignment {
  /** The shell's status as text; "cd" when the working folder could not be entered, "journal" when its start could not be written down. */
  onEnd(status: string): void;
  /** The helper is gone. Its journal says what it still got to know. */
  onHelperLost(): void;
}

/** The agent's side of one helper process (helper.sh): hands it one command at a time and hears how it ended. */
export class Helper {
  readonly folder: string;
  readonly #answers: Socket;
  readonly #onReady: () => void;
  readonly #onGone: () => void;
  #jobs: number;
  #journal: number | null = null;
  #headerBytes = 0;
  #pid = 0;
  #heard = '';
  #assignment: Assignment | null = null;
  #isGone = false;
  #waitedTicks = 0;
  /** Attempts of which its journal may still be asked to tell. */
  readonly #kept = new Set<string>();
  #isDiscarded = false;
  /** Of the output of attempts before, empty and in nobody's hands. */
  #streams: string | undefined = undefined;
  /** When it was last given back. Milliseconds, of the monotonic clock. */
  idleSince = 0;

  /** @param folder Where the starter has made its FIFOs. */
  constructor(folder: string, onReady: () => void, onGone: () => void) {
    this.folder = folder;
    this.#onReady = onReady;
    this.#onGone = onGone;
    const answers = openSync(join(folder, 'answers'), constants.O_RDONLY | constants.O_NONBLOCK);
    // For reading, too, so that it neither waits for the helper nor fails without it.
    this.#jobs = openSync(join(folder, 'jobs'), constants.O_RDWR);
    this.#answers = new Socket({ fd: answers, readable: true, writable: false });
    this.#answers.on('data', (piece: Buffer) => this.#hear(piece.toString('latin1')));
    this.#answers.on('error', () => undefined);
    this.#answers.on('close', () => this.#gone());
    writeSync(this.#jobs, `. ${quoted(PROGRAM)}\n`);
  }

  /** Leader of its session and group, in which its command runs. 0 before it is ready. */
  get pid(): number {
    return this.#pid;
  }
  get journalPath(): string {
    return join(this.folder, 'journal');
  }
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Its journal is kept until `release` of this attempt, whatever becomes of the helper. */
  hold(attempt: string): void {
    this.#kept.add(attempt);
  }

  /** Nobody will ask the journal for this attempt any more. */
  release(attempt: string): void {
    this.#kept.delete(attempt);
    if (this.#kept.size === 0 && this.#isDiscarded) this.#removeFolder();
  }

  /** Starts a command; one at a time. @param line At most so long that a FIFO takes it at once (lineOf). */
  assign(line: string, assignment: Assignment): void {
    if (this.#isGone) {
      assignment.onHelperLost();
      return;
    }
    this.#assignment = assignment;
    this.#answers.ref();
    try {
      writeSync(this.#jobs, line);
    } catch {
      // It has died and nobody has told yet: `close` is on its way.
    }
  }

  /** Files for the output of its next command, named after the attempt that they were made for; undefined for none. */
  takeStreams(): string | undefined {
    const streams = this.#streams;
    this.#streams = undefined;
    return streams;
  }

  /** Keeps the files of a command's output for its next one. @param streams Empty, and nobody can write to them. */
  keep(streams: string): void {
    this.#streams = streams;
  }

  /** Processor time that its commands have taken since this was last asked; null when it is gone. Clock ticks. */
  takeWaitedTicks(): number | null {
    const state = stateOf(this.#pid);
    if (state === null) return null;
    const ticks = state.waitedTicks - this.#waitedTicks;
    this.#waitedTicks = state.waitedTicks;
    return ticks;
  }

  /**
   * It is not needed for now, and does not keep the process alive. False when its journal has grown too long, and cannot
   * be cut back because it may still be asked: then another helper is to take its place.
   */
  rest(now: number): boolean {
    this.idleSince = now;
    this.#answers.unref();
    if (this.#journal === null || fstatSync(this.#journal).size <= JOURNAL_BYTES) return true;
    if (this.#kept.size > 0) return false;
    ftruncateSync(this.#journal, this.#headerBytes);
    return true;
  }

  /** Lets it go: it ends when its command has. */
  dismiss(): void {
    if (this.#jobs < 0) return;
    closeSync(this.#jobs);
    this.#jobs = -1;
  }

  /** Stops listening, though its command runs on: it is found again by its journal. */
  abandon(): void {
    this.#assignment = null;
    this.#isGone = true;
    this.dismiss();
    this.#answers.destroy();
  }

  #hear(text: string): void {
    this.#heard += text;
    for (let end; (end = this.#heard.indexOf('\n')) >= 0;) {
      const line = this.#heard.slice(0, end);
      this.#heard = this.#heard.slice(end + 1);
      const status = line.slice(line.lastIndexOf(' ') + 1);
      if (this.#pid === 0) this.#ready(Number(status));
      else this.#end(status);
    }
  }

  #ready(pid: number): void {
    this.#pid = pid;
    const forReading = this.#jobs;
    try {
      this.#jobs = openSync(join(this.folder, 'jobs'), constants.O_WRONLY | constants.O_NONBLOCK);
      closeSync(forReading);
      for (const name of ['jobs', 'answers']) unlinkSync(join(this.folder, name));
      this.#journal = openSync(this.journalPath, 'r+');
      this.#headerBytes = fstatSync(this.#journal).size;
    } catch {
      // Its folder is gone, or files have run out: then it is of no use, and to be let go.
      this.#answers.destroy();
      return;
    }
    this.#answers.unref();
    this.#onReady();
  }

  #end(status: string): void {
    const assignment = this.#assignment;
    this.#assignment = null;
    assignment?.onEnd(status);
  }

  #gone(): void {
    if (this.#journal !== null) closeSync(this.#journal);
    this.#journal = null;
    if (this.#isGone) return;
    this.#isGone = true;
    this.dismiss();
    const assignment = this.#assignment;
    this.#assignment = null;
    // Before the journal is removed with its folder.
    assignment?.onHelperLost();
    this.#onGone();
    if (assignment === null) this.forget();
  }

  /** Removes what is left of one that is gone, as soon as nobody can ask for it any more. */
  forget(): void {
    this.#isDiscarded = true;
    if (this.#kept.size === 0) this.#removeFolder();
  }

  #removeFolder(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
