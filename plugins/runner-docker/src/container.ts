import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Attempt, Outcome } from '@gantry/plugin-kit/runner';
import { followCommand, restoreCheckpoint, type CommandPaths } from '@gantry/plugin-kit/command-files';
import { mayBeCutShort } from '@gantry/plugin-kit/disk-space';
import { readOutputs } from '@gantry/plugin-kit/outputs';
import type Docker from 'dockerode';
import type { DockerConfig } from './config.ts';
import { ATTEMPT_LABEL, commandOf, containerOptions, SCRIPT } from './container-options.ts';
import type { Engine } from './engine.ts';
import { failedWith } from './exit-code.ts';
import { DockerFailure, isUnreachable, messageOf, statusOf } from './failure.ts';
import { provideImage } from './image.ts';
import { wasOutOfMemoryByKernel } from './kernel-log.ts';
import { removeContainer, stays } from './leftovers.ts';
import { atBeginning, handOn, type LogPosition } from './log-frames.ts';
import { neverBegan } from './never-began.ts';
import { stopSoftly } from './soft-stop.ts';
import { spaceLackedBy } from './space.ts';
import type { Turn } from './turns.ts';

/** What a restart of the agent needs to find a container again. */
export interface Handle {
  readonly container: string;
  readonly [key: string]: string;
}

const ENGINE_RETRY_MS = 250;
/** So often the engine's events are looked at for why it was killed, where the kernel's log cannot be read. */
const OOM_LOOKS = 6;

type State = Docker.ContainerInspectInfo['State'];
type Output = AsyncIterable<Buffer>;

/** One attempt and its container, from the image to the end. */
export class Container {
  readonly #attempt: Attempt<DockerConfig, Handle>;
  readonly #engine: Engine;
  readonly #exchange: string;
  readonly #paths: CommandPaths;
  readonly #position: LogPosition = atBeginning();
  #wasAway = false;
  /** By id, from the moment in which it may run. */
  #startedId: string | null = null;
  /** Whether the engine has signalled it, as far as that is known. */
  #isTold = false;
  #telling: Promise<void> = Promise.resolve();

  constructor(attempt: Attempt<DockerConfig, Handle>, engine: Engine) {
    this.#attempt = attempt;
    this.#engine = engine;
    this.#exchange = join(attempt.workdir, 'gantry');
    this.#paths = { progress: join(this.#exchange, 'progress'), checkpoint: join(this.#exchange, 'checkpoint') };
  }

  /** Whether it may still run, although it was given up. */
  get isAtLarge(): boolean {
    return this.#startedId !== null && this.#engine.abandoned.has(this.#startedId);
  }

  /** Runs it; a container of this attempt that is there already is followed instead. */
  async run(): Promise<Outcome> {
    const attempt = this.#attempt;
    attempt.preparing();
    await provideImage(attempt, this.#engine);
    const turn = await this.#engine.starts.take(attempt.stop);
    if (turn === null) return stopped();
    // An engine that hangs over one container may not hold up the others.
    attempt.kill.addEventListener('abort', turn.end, { once: true });
    try {
      this.#makeExchange();
      const container = await this.#create();
      await attempt.checkpoint({ container: container.id });
      return await this.#toItsEnd(container, turn);
    } finally {
      attempt.kill.removeEventListener('abort', turn.end);
      turn.end();
    }
  }

  /** Follows what the handle names. */
  async reattach({ container: id }: Handle): Promise<Outcome> {
    const container = this.#engine.docker.getContainer(id);
    const found = await this.#patiently(() => container.inspect()).catch((error: unknown) => {
      if (statusOf(error) === 404) return null;
      throw error;
    });
    // A container is started only when its handle is durable: one that is asked for by the attempt's id was not.
    if (found === null) return id === this.#attempt.id ? neverStarted() : gone();
    if (found.State.Status !== 'created') return this.#toItsEnd(container, null);
    return (await this.#withdrawn(container, found)) ?? this.#toItsEnd(container, null);
  }

  /**
   * What becomes of a container that was made and not started: it is removed, so that nothing can start it any more. The
   * agent before may have asked for its start with its last breath: then it is followed (null), or nobody knows.
   */
  async #withdrawn(container: Docker.Container, { Created, Id }: Docker.ContainerInspectInfo): Promise<Outcome | null> {
    try {
      await this.#patiently(() => container.remove({ force: false, v: true }));
    } catch (error) {
      if (statusOf(error) === 409) return null;
      if (statusOf(error) !== 404) throw error;
    }
    const since = Math.floor(Date.parse(Created) / 1_000);
    const until = Math.ceil(Date.now() / 1_000);
    const filters = { container: [Id], event: ['start'] };
    const events = await this.#patiently(() => this.#engine.docker.getEvents({ since, until, filters }));
    for await (const event of events) if (String(event).includes('start')) return gone();
    return neverStarted();
  }

  /** The folder through which the container hands on outputs. Its parent is closed to others; any user of the image may write here. */
  #makeExchange(): void {
    mkdirSync(this.#exchange, { recursive: true });
    chmodSync(this.#exchange, 0o777);
    const { inputs, config } = this.#attempt;
    if (typeof config.command === 'string' && config.command.startsWith('#!'))
      writeFileSync(join(this.#exchange, SCRIPT), config.command, { mode: 0o755 });
    if (Object.keys(inputs).length > 0) writeFileSync(join(this.#exchange, 'inputs.json'), JSON.stringify(inputs));
    const { checkpoint } = this.#paths;
    if (restoreCheckpoint(checkpoint, this.#attempt)) chmodSync(checkpoint, 0o666);
  }

  /** Its name is the attempt's id: the engine itself sees to it that there is never a second one. */
  async #create(): Promise<Docker.Container> {
    const { docker } = this.#engine;
    const command = await commandOf(this.#attempt.config, () => this.#imageCommand());
    const options = containerOptions(this.#attempt, this.#engine, this.#exchange, command);
    try {
      // Without `_query` its client would put all of it into the URL as well, secrets included.
      return await docker.createContainer({ _query: { name: this.#attempt.id }, _body: options } as object);
    } catch (error) {
      if (statusOf(error) === 404) {
        const { image } = this.#attempt.config;
        throw new DockerFailure(
          'APPLICATION',
          'IMAGE_MISSING',
          `The image ${image} is not there any more: ${messageOf(error)}`,
        );
      }
      if (statusOf(error) !== 409) throw error;
      const container = docker.getContainer(this.#attempt.id);
      const { Config, Id } = await container.inspect();
      if (Config.Labels[ATTEMPT_LABEL] === this.#attempt.id) return docker.getContainer(Id);
      const message = `There is a container named ${this.#attempt.id} that is not ours.`;
      throw new DockerFailure('INFRASTRUCTURE', 'NAME_TAKEN', message, 'Remove it.');
    }
  }

  /** What the image runs. */
  async #imageCommand(): Promise<readonly string[]> {
    const { image } = this.#attempt.config;
    const { Config } = await this.#engine.docker.getImage(image).inspect();
    const command = [(Config as Docker.ImageInspectInfo['Config'] | undefined)?.Cmd ?? []].flat();
    if (command.length > 0) return command;
    const message = `Neither the task nor the image ${image} says what to run.`;
    throw new DockerFailure('APPLICATION', 'NO_COMMAND', message, 'Give a `command`.');
  }

  /** @param turn Of its start; ended when it has been started. */
  async #toItsEnd(container: Docker.Container, turn: Turn | null): Promise<Outcome> {
    const { stop, kill } = this.#attempt;
    const onStop = () => {
      const signal = (name: string) => this.#signal(container, name);
      this.#telling = stopSoftly(container, this.#engine, this.#attempt.config, signal);
    };
    const onKill = () => {
      this.#telling = this.#kill(container);
    };
    const unfollow = followCommand(this.#paths, this.#attempt);
    try {
      const output = stop.aborted ? null : await this.#start(container);
      turn?.end();
      stop.addEventListener('abort', onStop, { once: true });
      kill.addEventListener('abort', onKill, { once: true });
      if (kill.aborted) onKill();
      else if (stop.aborted) onStop();
      const state = await this.#follow(container, output);
      unfollow();
      const wasOutOfMemory = await this.#wasOutOfMemory(container, state);
      const outcome = wasOutOfMemory
        ? this.#outOfMemory(state)
        : await this.#outcomeOf(container, state, wasOutOfMemory === null);
      // It stays until nobody asks for it any more: an agent that is started again would.
      const stay = stays(this.#attempt.config.keep, outcome.ok);
      this.#engine.ended.set(this.#attempt.id, stay ? 'STAY' : 'REMOVE');
      await this.#telling;
      return stop.aborted && !this.#isTold ? { ...outcome, endedBeforeStop: true } : outcome;
    } catch (error) {
      await this.#remove(container);
      throw error;
    } finally {
      unfollow();
      stop.removeEventListener('abort', onStop);
      kill.removeEventListener('abort', onKill);
    }
  }

  /** Starts it, and listens from the first word on; null when the engine has been away meanwhile, or it runs already. */
  async #start(container: Docker.Container): Promise<Output | null> {
    try {
      const { State } = await container.inspect();
      this.#startedId = container.id;
      if (State.Status !== 'created') {
        this.#attempt.started();
        return null;
      }
      const output = await container.attach({ stream: true, stdout: true, stderr: true });
      await container.start();
      this.#attempt.started();
      return output as unknown as Output;
    } catch (error) {
      if (!isUnreachable(error)) throw error;
      await this.#patiently(() => container.start()).catch((again: unknown) => {
        // 304: it runs already.
        if (statusOf(again) !== 304) throw again;
      });
      this.#attempt.started();
      return null;
    }
  }

  /**
   * Hands on what it prints until it has ended. Where there is nothing to listen to (its agent, or its engine, has been
   * away), what the engine has kept of it is read, behind what has been handed on.
   */
  async #follow(container: Docker.Container, output: Output | null): Promise<State> {
    let source = output;
    for (;;) {
      try {
        source ??= (await container.logs({ follow: true, stdout: true, stderr: true })) as unknown as Output;
        await handOn(source, this.#attempt, this.#position);
      } catch (error) {
        if (!isUnreachable(error)) throw error;
      }
      const { State: state } = await this.#patiently(() => container.inspect());
      if (state.Running || state.Restarting) {
        source = null;
        continue;
      }
      if (source !== output || output === null) await this.#readRest(container);
      return state;
    }
  }

  /** The engine leaves out of a log that is followed what has no end of line when the container ends. */
  async #readRest(container: Docker.Container): Promise<void> {
    const rest = await this.#patiently(() => container.logs({ follow: false, stdout: true, stderr: true }));
    await handOn([rest as Buffer], this.#attempt, this.#position);
  }

  /** An engine that is restarted is waited for: its containers may run on meanwhile. */
  async #patiently<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    const signal = AbortSignal.timeout(this.#engine.settings.engineAwayMs);
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (!isUnreachable(error) || signal.aborted || this.#attempt.kill.aborted) throw error;
        this.#wasAway = true;
        await new Promise((resolve) => setTimeout(resolve, ENGINE_RETRY_MS));
      }
    }
  }

  /**
   * Whether it failed because the kernel ended something of it for want of memory. An engine may hear of that only after
   * the end of the container, and then no more says so of it; its events do, sometimes. Podman may never say it. Null
   * when nobody knows.
   */
  async #wasOutOfMemory(container: Docker.Container, state: State): Promise<boolean | null> {
    const { resources, stop } = this.#attempt;
    if (state.ExitCode === 0) return false;
    if (state.OOMKilled) return true;
    if (!resources['memory'] || stop.aborted) return false;
    const { docker, socket } = this.#engine;
    // The log is of this machine's kernel.
    const isKnown = socket === null ? null : await wasOutOfMemoryByKernel(container.id);
    if (isKnown === true) return true;
    if (state.ExitCode !== 137) return false;
    const since = Math.floor(Date.parse(state.StartedAt) / 1_000);
    for (let look = 0; look < (isKnown === null ? OOM_LOOKS : 1); look++) {
      const filters = { container: [container.id], event: ['oom'] };
      const until = Math.ceil(Date.now() / 1_000);
      const events = await this.#patiently(() => docker.getEvents({ since, until, filters }));
      for await (const event of events) if (String(event).includes('oom')) return true;
      await new Promise((resolve) => setTimeout(resolve, ENGINE_RETRY_MS));
    }
    return isKnown;
  }

  #outOfMemory({ ExitCode: exitCode }: State): Outcome {
    const message = `It needed more than the ${this.#attempt.resources['memory'] ?? 0} bytes of memory that it was given.`;
    return {
      ok: false,
      kind: 'OOM',
      reason: { code: 'OUT_OF_MEMORY', message, remedy: 'Ask for more memory.' },
      exitCode,
    };
  }

  async #outcomeOf(container: Docker.Container, state: State, mayHaveLackedMemory: boolean): Promise<Outcome> {
    const { ExitCode: exitCode, Error: error, Status } = state;
    const { stop, config } = this.#attempt;
    if (Status === 'created') {
      if (stop.aborted) return stopped();
      throw new DockerFailure('INFRASTRUCTURE', 'NOT_STARTED', `The container was never started: ${error}`);
    }
    // Nobody here has killed it, and the engine was away: it has ended its containers.
    if (this.#wasAway && !stop.aborted && (exitCode === 137 || exitCode === 255 || exitCode === 143)) {
      throw new DockerFailure(
        'INFRASTRUCTURE',
        'ENGINE_RESTARTED',
        `The container engine was restarted, and ended the container with ${exitCode}.`,
      );
    }
    if (exitCode !== 0) {
      const failed =
        neverBegan(exitCode, this.#position, config) ??
        failedWith(exitCode, typeof config.command === 'string', mayHaveLackedMemory);
      return stop.aborted
        ? failed
        : await spaceLackedBy(container, failed, this.#engine, this.#folders, this.#position);
    }
    const read = readOutputs(join(this.#exchange, 'output'));
    if (!read.ok) {
      const { code, message, remedy } = read;
      return { ok: false, kind: 'APPLICATION', reason: { code, message, ...(remedy === undefined ? {} : { remedy }) } };
    }
    return mayBeCutShort(dirname(this.#attempt.workdir))
      ? outputsCutShort(exitCode)
      : { ok: true, outputs: read.outputs };
  }

  /** Folders of this node that it may have written to. */
  get #folders(): readonly string[] {
    const writable = this.#attempt.config.mounts.filter(({ readOnly }) => !readOnly);
    return [this.#exchange, ...writable.map(({ source }) => source)];
  }

  async #kill(container: Docker.Container): Promise<void> {
    await this.#signal(container, 'SIGKILL').catch(() => undefined);
  }

  /** Signals it. An engine that answers that it does not run has not told it anything. */
  async #signal(container: Docker.Container, signal: string): Promise<void> {
    try {
      await container.kill({ signal });
      this.#isTold = true;
    } catch (error) {
      this.#isTold ||= ![404, 409].includes(statusOf(error) ?? 0);
      throw error;
    }
  }

  async #remove(container: Docker.Container): Promise<void> {
    await removeContainer(this.#engine, container.id);
    rmSync(this.#exchange, { recursive: true, force: true });
  }
}

/** The agent was restarted before the container was started. */
const neverStarted = (): Outcome => ({
  ok: false,
  kind: 'REJECTED',
  reason: { code: 'NOT_STARTED', message: 'The agent was restarted before the container had been started.' },
});

const gone = (): Outcome => ({
  ok: false,
  kind: 'UNKNOWN',
  reason: { code: 'CONTAINER_GONE', message: 'Its container is not there any more: somebody has removed it.' },
});

/** It succeeded, and what it handed on can have been lost: to take that for all would be wrong downstream. */
const outputsCutShort = (exitCode: number): Outcome => ({
  ok: false,
  kind: 'APPLICATION',
  reason: {
    code: 'DISK_FULL',
    message: `The command ended with exit code ${exitCode}, but the node’s disk is full: what it wrote to $GANTRY_OUTPUT may be cut short.`,
    remedy: 'Make room on the node’s disk.',
  },
  exitCode,
});

/** It was asked to stop before anything ran; why is known to who asked. */
const stopped = (): Outcome => ({
  ok: false,
  kind: 'REJECTED',
  reason: { code: 'STOPPED', message: 'It was stopped before its container had started.' },
});
