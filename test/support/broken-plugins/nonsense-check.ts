import sound from './sound.ts';

/** Loads, and fails when it is used. */
export default { ...sound, name: 'nonsense-check', config: { ...sound.config, check: () => undefined } };
