/** More than an agent numbers of one attempt in its life. */
const PER_INCARNATION = 2 ** 30;

/**
 * Where an agent begins to number what it sends of an attempt that an agent before it has numbered, too: what bears a
 * lower number is ignored. Incarnations only grow, whatever the time of day does.
 */
export const firstNumberOf = (incarnation: number): number => incarnation * PER_INCARNATION;
