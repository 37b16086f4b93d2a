/** A contract of which its host uses one half. */
export interface HalfUsed {
  used(): void;
  promised?(): void;
  readonly read: { readonly inside: number; readonly unseen?: number };
}
