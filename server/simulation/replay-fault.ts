/** Why a replay came to nothing, in words for whoever asked for it. */
export class ReplayFault extends Error {
  override readonly name = 'ReplayFault';
}
