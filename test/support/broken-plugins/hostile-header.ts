import sound from './sound.ts';

export default {
  ...sound,
  get name(): string {
    throw new Error('it does not tell its name');
  },
};
