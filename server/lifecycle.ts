/** Something that runs. Both methods may be called twice; stopping what never started does nothing. */
export interface Service {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts services in order; stops them in reverse, also those before one that failed to start. */
export function sequence(services: readonly Service[]): Service {
  const started: Service[] = [];
  const stop = async () => {
    const failures: unknown[] = [];
    for (let service = started.pop(); service; service = started.pop()) {
      await service.stop().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw new AggregateError(failures, 'Some services did not stop in good order.');
  };
  return {
    async start() {
      if (started.length > 0) return;
      try {
        for (const service of services) {
          await service.start();
          started.push(service);
        }
      } catch (error) {
        await stop();
        throw error;
      }
    },
    stop,
  };
}
