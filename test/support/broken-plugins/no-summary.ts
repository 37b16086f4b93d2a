import sound from './sound.ts';

export default { ...sound, summary: undefined };
