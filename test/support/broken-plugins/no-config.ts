import sound from './sound.ts';

export default { ...sound, config: null };
