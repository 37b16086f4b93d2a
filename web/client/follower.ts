import type { Fault } from './fault.ts';

/** What a subscriber is told. */
export interface Follower<Event> {
  /** An event, in order, without gap or duplicate. */
  event(event: Event): void;
  /** Events may have been missed: read anew what you show. Called before each event that comes after that. */
  missed(): void;
  /** It will not go on. */
  fault(fault: Fault): void;
  /** Everything has been told: what it was about has ended. */
  end?(): void;
}
