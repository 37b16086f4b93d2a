import sound from './sound.ts';

/** Loads, and fails when it is used. */
export default {
  ...sound,
  name: 'throwing-check',
  config: {
    ...sound.config,
    check(): never {
      throw new Error('the check is broken');
    },
  },
};
